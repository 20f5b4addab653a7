"""What can be said of people before they have done anything: from their profile, and from the catalogue's words."""
