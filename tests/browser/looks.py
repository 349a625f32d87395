"""What every page of the house is measured by: its width and the contrast of its text."""

SIZES = {"desk": 1280, "phone": 360}

# What sticks out of the page on the right.
OUTSIDE = """() => [...document.querySelectorAll("h1, h2, h3, p, li, .card, .box")]
    .filter(e => !e.closest(".unseen"))
    .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML)"""

# Every element with text of its own: its words and the contrast of its colour with the first
# opaque ground behind it. Numbers on a heatmap stand on the picture, which CSS does not know.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const channels = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return channels("Canvas");
  };
  return [...document.querySelectorAll("body *")]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => !e.closest(".unseen, title, style"))
    .filter(e => !["white", "black", "#ffffff", "#000000", "rgb(255, 255, 255)", "rgb(0, 0, 0)"]
      .includes(e.closest("svg") ? getComputedStyle(e).fill : ""))
    .map(e => {
      const style = getComputedStyle(e);
      const front = light(channels(e.closest("svg") ? style.fill : style.color));
      const back = light(ground(e));
      return [e.textContent.trim().slice(0, 40),
        (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)];
    });
}"""
