// Sends the page's one form at once; without JavaScript a person presses its button.
const form = document.querySelector("form[data-submit]");
if (form) form.submit();
