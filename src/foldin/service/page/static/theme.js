// Before anything is drawn: light or dark as chosen here before, else as the machine has it.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
