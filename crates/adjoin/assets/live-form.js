// Has the form checked while people type: sends it as it stands to its own address, as the Check button does, and
// takes over the parts of the answer that are marked data-live. What has the focus is never replaced.
const form = document.getElementById("ad-set");
const PAUSE = 300;
let timer;
let round = 0;

form?.addEventListener("input", () => later(PAUSE));
form?.addEventListener("change", () => later(0));

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(check, pause);
}

async function check() {
  const mine = ++round;
  const body = new URLSearchParams(new FormData(form));
  body.set("press", "check");
  let html;
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "error" });
    html = await answer.text();
  } catch {
    return; // Offline or signed out: the button still tells.
  }
  if (mine !== round || new URLSearchParams(new FormData(form)).toString() !== withoutPress(body)) return;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) takeOver(part);
}

function withoutPress(body) {
  const copy = new URLSearchParams(body);
  copy.delete("press");
  return copy.toString();
}

function takeOver(part) {
  const old = document.getElementById(part.id);
  if (!old || old.isEqualNode(part)) return;
  if (!old.contains(document.activeElement)) {
    old.replaceWith(document.adoptNode(part.cloneNode(true)));
    return;
  }
  const field = part.querySelector(":scope > :is(input, select, textarea)");
  if (!field) return;
  const focused = document.getElementById(field.id);
  if (!focused) return;
  if (field.hasAttribute("aria-invalid")) focused.setAttribute("aria-invalid", "true");
  else focused.removeAttribute("aria-invalid");
}
