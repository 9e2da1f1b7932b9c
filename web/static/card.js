// A card works without this module. It lets the visitor's own device share the card
// where it can; the link leads to a page that does it otherwise.
for (const link of document.querySelectorAll("[data-share]")) {
  if (!navigator.share) continue;
  link.addEventListener("click", event => {
    event.preventDefault();
    navigator.share({ title: document.title, url: link.dataset.share }).catch(refused => {
      if (refused.name !== "AbortError") location.href = link.href;
    });
  });
}
