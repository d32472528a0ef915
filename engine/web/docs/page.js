// The curl lines say the origin that the browser knows (behind a proxy, the service may not), and get a button.
for (const span of document.querySelectorAll(".origin")) span.textContent = location.origin;

for (const pre of document.querySelectorAll("pre.curl")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const line = pre.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  pre.append(button);
}

// On narrow screens the list of operations is folded, so that the page begins with its text.
if (matchMedia("(max-width: 60rem)").matches) document.querySelector("nav details").open = false;
