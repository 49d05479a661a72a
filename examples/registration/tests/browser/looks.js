// What is wrong with how the page looks, in sentences.
const root = document.documentElement;
const complaints = [];

const channels = (color) => color.match(/[\d.]+/g).map(Number);
const isOpaque = ([, , , alpha = 1]) => alpha === 1;
const background = (element) => {
    const color = channels(getComputedStyle(element).backgroundColor);
    return isOpaque(color) || !element.parentElement ? color : background(element.parentElement);
};
const luminance = (color) => {
    const [red, green, blue] = color.map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (element) => {
    const colors = [channels(getComputedStyle(element).color), background(element)];
    const [dark, light] = colors.map(luminance).sort((one, other) => one - other);
    return (light + 0.05) / (dark + 0.05);
};
// Screen readers read what is not.
const isVisible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1;

// A picture by itself has looks of its own.
if (root.localName !== 'html') return complaints;
if (root.scrollWidth > root.clientWidth) complaints.push(`the page is ${root.scrollWidth} px wide and the window ${root.clientWidth}`);

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (text && isVisible(element) && contrast(element) < 4.5) complaints.push(`the contrast of "${text}" is ${contrast(element).toFixed(1)}`);
}

const seen = new Set();
for (const { id } of document.querySelectorAll('[id]')) {
    if (seen.has(id)) complaints.push(`two elements are called ${id}`);
    seen.add(id);
}
for (const input of document.querySelectorAll('input:not([type=hidden])')) {
    if (!input.labels.length) complaints.push(`${input.id} has no label`);
    if (contrast(input) < 4.5) complaints.push(`the contrast in ${input.id} is ${contrast(input).toFixed(1)}`);
}
for (const target of document.querySelectorAll('button, input:not([type=hidden]), nav a, a.button')) {
    const { height } = target.getBoundingClientRect();
    if (height < 24) complaints.push(`${target.id || target.textContent} is only ${height} px high`);
}
return complaints;
