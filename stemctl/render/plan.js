const box = document.querySelector(".search"), field = box.querySelector("input"), count = box.querySelector("output");
const changes = [...document.querySelectorAll(".change")], sections = [...document.querySelectorAll("section")];
box.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const change of changes) {
    const text = change.textContent.toLowerCase();
    change.hidden = !words.every((word) => text.includes(word));
    shown += !change.hidden;
  }
  for (const section of sections)
    section.hidden = words.length > 0 && !section.querySelector(".change:not([hidden])");
  count.value = words.length ? shown + " of " + changes.length : "";
});
