// What happens in the page: pickers, the theme, rows that glide to their places, and what went wrong.

const quiet = matchMedia("(prefers-reduced-motion: reduce)");

document.addEventListener("alpine:init", () => {
  Alpine.data("theme", () => ({
    turn() {
      const root = document.documentElement;
      const dark = getComputedStyle(root).colorScheme === "dark" ||
        (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
      document.dispatchEvent(new Event("theme"));
    },
  }));

  // A text field with a list of what may be meant (the combobox of the ARIA practices).
  Alpine.data("picker", () => ({
    // the text that Enter was pressed for before its suggestions were there, and the one that those in the list are of
    waiting: "",
    listed: null,
    options() {
      return [...this.$refs.list.querySelectorAll("[data-value]")];
    },
    chosen() {
      return this.$refs.list.querySelector("[aria-selected=true]");
    },
    show() {
      this.$refs.list.hidden = false;
      this.$refs.input.setAttribute("aria-expanded", "true");
    },
    hide() {
      this.$refs.list.hidden = true;
      this.$refs.input.setAttribute("aria-expanded", "false");
      this.mark(null);
    },
    typed() {
      return this.$refs.input.value.trim();
    },
    // another text: what was marked, or waited for, was of the one before
    changed() {
      this.waiting = "";
      this.mark(null);
      this.show();
    },
    // what was marked stays marked when a new list holds it too
    keep(event) {
      const kept = this.options().find((option) => option.dataset.value === this.$root.dataset.marked);
      this.mark(kept ?? null);
      this.listed = event.detail.requestConfig.parameters.text.trim();
      if (this.waiting && this.waiting === this.listed) this.enter();
    },
    // what Enter waits for does not come
    fail(event) {
      if (!event.detail.successful) this.waiting = "";
    },
    mark(option) {
      this.$root.dataset.marked = option?.dataset.value ?? "";
      this.chosen()?.setAttribute("aria-selected", "false");
      this.$refs.input.removeAttribute("aria-activedescendant");
      if (!option) return;
      option.id ||= `${this.$refs.list.id}-${this.options().indexOf(option)}`;
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.$refs.input.setAttribute("aria-activedescendant", option.id);
    },
    step(by) {
      this.show();
      const options = this.options();
      if (!options.length) return;
      const at = options.indexOf(this.chosen());
      this.mark(options[at < 0 && by < 0 ? options.length - 1 : (at + by + options.length) % options.length]);
    },
    key(event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") this.step(event.key === "ArrowDown" ? 1 : -1);
      else if (event.key === "Enter") this.enter();
      else if (event.key === "Escape" && !this.$refs.list.hidden) this.leave();
      else return;
      event.preventDefault();
    },
    leave() {
      this.waiting = "";
      this.hide();
    },
    enter() {
      const typed = this.typed();
      this.waiting = "";
      if (this.chosen()) this.take(this.chosen().dataset.value);
      else if (typed && this.$root.dataset.go) this.take(typed);
      else if (typed && this.listed === typed) this.takeMeant(typed);
      else if (typed) {
        this.waiting = typed;
        htmx.trigger(this.$refs.input, "focus");
      }
    },
    // whose id or title it is, or else the first of its suggestions; where there is none, the list says so
    takeMeant(typed) {
      const names = (option) => [option.dataset.value, option.firstElementChild.textContent.trim()];
      const is = (fold) => (option) => names(option).some((name) => fold(name) === fold(typed));
      const options = this.options();
      const meant = options.find(is((name) => name)) ?? options.find(is((name) => name.toLowerCase())) ?? options[0];
      if (meant) this.take(meant.dataset.value);
      else this.show();
    },
    // at the press already: by the release a newer list may lie under the pointer
    click(event) {
      const option = event.target.closest("[data-value]");
      if (option) this.take(option.dataset.value);
    },
    take(value) {
      const { go, into } = this.$root.dataset;
      if (go) {
        location.href = go + encodeURIComponent(value);
        return;
      }
      const form = this.$root.closest("form");
      form.elements[into].value = value;
      this.$refs.input.value = "";
      this.hide();
      htmx.trigger(form, "submit");
      form.elements[into].value = "";
      htmx.trigger(this.$refs.input, "focus");
      this.hide();
    },
  }));
});

// Words count while they are typed; what is chosen says so by itself.
document.addEventListener("input", (event) => {
  const { form, type } = event.target;
  if (form?.id === "person" && type === "text") htmx.trigger(form, "typed");
});

// A history that was opened stays open when it changes.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const more = fragment.querySelector("#history details");
  if (more) more.open = target.querySelector("details")?.open ?? false;
});

// Where a place is filled anew, what was opened in it stays open, and the focus where it was.
let kept = { opened: [], focused: "" };

document.addEventListener("htmx:beforeSwap", (event) => {
  const opened = [...event.detail.target.querySelectorAll("details[open]")].map((details) => details.id);
  kept = { opened, focused: document.activeElement.id };
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of kept.opened) document.getElementById(id)?.setAttribute("open", "");
  if (document.activeElement === document.body) document.getElementById(kept.focused)?.focus({ preventScroll: true });
});

// A page that nobody sees watches nothing.
document.addEventListener("htmx:configRequest", (event) => {
  if (document.hidden && event.detail.elt.hasAttribute("data-watch")) event.preventDefault();
});

// The address says what was changed: it can be loaded again, come back to and passed on.
let shownAt = document.getElementById("history") && location.search;

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id !== "history") return;
  const { address } = document.getElementById("history").dataset;
  // browsers limit how often it may be put
  if (location.pathname + location.search !== address) history.replaceState(null, "", address);
  shownAt = location.search;
});

// Another address of the same page, as before a jump within it: the page becomes what it says.
addEventListener("popstate", () => {
  if (shownAt !== null && shownAt !== location.search) location.reload();
});

// Rows of a ranking glide from where they were to where they are.
const places = () => new Map([...document.querySelectorAll("#ranking [data-item]")]
  .map((row) => [row.dataset.item, row.getBoundingClientRect().top]));
let before = new Map();

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.id === "ranking") before = places();
  // reasons that were long in coming may be of a ranking that is gone
  const of = fragment.firstElementChild?.dataset.for;
  if (of && of !== target.closest("[data-item]").dataset.item) event.preventDefault();
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id !== "ranking") return;
  if (!quiet.matches) glide();
  tell();
});

function glide() {
  for (const row of document.querySelectorAll("#ranking [data-item]")) {
    const from = before.get(row.dataset.item);
    const by = from === undefined ? 0 : from - row.getBoundingClientRect().top;
    if (from === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], 220);
    else if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 260, easing: "ease-out" });
  }
}

// What went wrong lies where it covers no field: on a phone at the top, as a keyboard is at the bottom.
const phone = matchMedia("(max-width: 820px)");
const trouble = document.getElementById("trouble");

// what stands between grave accents is to be typed, as on the pages that are rendered
function say(text) {
  trouble.firstElementChild.replaceChildren(...text.split("`").map((part, place) => {
    if (place % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  }));
  settle();
}

function silence() {
  trouble.firstElementChild.textContent = "";
  delete trouble.dataset.edge;
}

function settle() {
  if (!trouble.firstElementChild.textContent) return;
  const edges = phone.matches ? ["top", "bottom"] : ["bottom", "top"];
  const free = edges.find((edge) => {
    trouble.dataset.edge = edge;
    return !covered().length;
  });
  // it has to be seen all the same
  if (!free) trouble.dataset.edge = edges[0];
}

function covered() {
  const { left, right, top, bottom } = trouble.getBoundingClientRect();
  return [...document.querySelectorAll("main :is(input, select, textarea)")].filter((field) => {
    const box = field.getBoundingClientRect();
    return box.width && box.left < right && box.right > left && box.top < bottom && box.bottom > top;
  });
}

trouble.lastElementChild.addEventListener("click", silence);
addEventListener("scroll", settle, { passive: true });

// What became of the ranking is heard, too.
let telling;
function tell() {
  const first = document.querySelector("#ranking .title")?.textContent ?? "nothing";
  const share = document.querySelector("[data-share=history]").textContent;
  const told = document.getElementById("told");
  told.textContent = `First is ${first}; the history's share is ${share}.`;
  clearTimeout(telling);
  telling = setTimeout(() => told.replaceChildren(), 5000);
}

// A button that is gone after its press leaves the focus to the next one.
document.addEventListener("htmx:beforeRequest", (event) => {
  const button = document.activeElement?.closest?.("button.remove");
  if (!button || event.detail.elt.id !== "person") return;
  const all = [...document.querySelectorAll("button.remove")];
  const at = all.indexOf(button);
  document.addEventListener("htmx:afterSettle", function moveFocus(settled) {
    // another answer, as that with the reasons, may settle first, while the button is still there
    if (settled.detail.xhr !== event.detail.xhr) return;
    document.removeEventListener("htmx:afterSettle", moveFocus);
    const left = document.querySelectorAll("button.remove");
    (left[Math.min(at, left.length - 1)] ?? document.getElementById("adding")).focus();
  });
});

// After an action that changes the whole page: reload it, or open the address in data-reload, and show data-done there,
// and beside it the way back to the model in data-undo.
document.addEventListener("htmx:afterRequest", (event) => {
  const { successful, elt } = event.detail;
  if (!successful || !elt.hasAttribute("data-reload")) return;
  for (const name of ["done", "undo"]) {
    if (elt.dataset[name]) sessionStorage.setItem(name, elt.dataset[name]);
  }
  if (elt.dataset.reload) location.assign(elt.dataset.reload);
  else location.reload();
});

const done = document.getElementById("done");
if (done) {
  done.firstElementChild.textContent = sessionStorage.getItem("done") ?? "";
  const model = sessionStorage.getItem("undo");
  if (model) offerWayBack(done.lastElementChild, model);
  for (const name of ["done", "undo"]) sessionStorage.removeItem(name);
}

function offerWayBack(button, model) {
  button.setAttribute("hx-post", `/v1/models/${encodeURIComponent(model)}/activate`);
  button.dataset.done = `${model} is in use again.`;
  button.hidden = false;
  htmx.process(button);
}

// Where a training is refused, as another runs of which the page knows nothing yet, it looks.
document.addEventListener("htmx:responseError", (event) => {
  const jobs = document.getElementById("jobs");
  if (event.detail.elt.id === "train" && jobs) htmx.ajax("GET", jobs.getAttribute("hx-get"), { source: jobs, swap: "outerHTML" });
});

// Whatever goes wrong is said, and gone again with the next thing that goes right: where somebody did it, with the next
// that they do, as what the page asks for by itself would leave no time to read it.
const byHand = (event) => Boolean(event.detail.requestConfig.triggeringEvent);
let answered = false;

function complain(event, text) {
  const said = trouble.firstElementChild.textContent;
  if (said && !byHand(event) && (answered || said === text)) return;
  answered = byHand(event);
  say(text);
}

document.addEventListener("htmx:responseError", (event) => {
  let text = `The service answered ${event.detail.xhr.status}.`;
  try {
    text = JSON.parse(event.detail.xhr.responseText).detail || text;
  } catch {
    // what is said already is all there is to say
  }
  complain(event, text);
});
document.addEventListener("htmx:sendError", (event) => complain(event, "The service does not answer."));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && (byHand(event) || !answered)) silence();
});
