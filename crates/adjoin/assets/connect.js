// In a frame Facebook opens in a window of its own; this page asks how the session stands and says so.
const form = document.querySelector("form[data-status]");
const notices = [...document.querySelectorAll("[data-at]")];
const ended = ["completed", "declined", "refused", "expired", "cancelled"];
const button = form.querySelector("button");

function show(status) {
  for (const notice of notices) notice.hidden = !notice.dataset.at.split(" ").includes(status);
  button.disabled = true;
}

async function watch() {
  try {
    const answer = await fetch(form.dataset.status, { cache: "no-store" });
    if (answer.ok) {
      const { status } = await answer.json();
      show(status);
      if (ended.includes(status)) return;
    }
  } catch {
    // The network is away for a moment; the next look finds out.
  }
  setTimeout(watch, 2000);
}

form.addEventListener("submit", () => {
  // Not before the form was sent: a disabled button sends nothing.
  setTimeout(() => {
    show("at_facebook");
    watch();
  }, 1000);
});
