// The one-time code stands after the # of the link, where no server and no log sees it. Fills it in and takes it
// out of the address bar and the history.
const code = location.hash.slice(1);
const field = document.querySelector("input[name=code]");
if (code && field) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
  document.querySelector("input[name=name]")?.focus();
}
