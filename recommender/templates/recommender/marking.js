{
    // Places are counted in characters as the server counts them, not in the halves of which a browser makes some.
    const told = JSON.parse(document.getElementById("marks").textContent);
    const body = document.getElementById("body"), shown = document.getElementById("shown");
    const characters = Array.from(told.body);
    const colours = {Positive: "#bbf7d0", Negative: "#fecaca"}, signs = {Positive: "+", Negative: "−"};
    let spans = told.spans.map(([start, end, label]) => ({start, end, label}));

    function place(units) {
        let passed = 0;
        for (const [at, character] of characters.entries()) {
            if (passed >= units) return at;
            // A browser makes one character of the two that end a line.
            if (character === "\r" && characters[at + 1] === "\n") continue;
            passed += character.length;
        }
        return characters.length;
    }

    function selected() {
        let start = place(body.selectionStart), end = place(body.selectionEnd);
        while (start < end && !characters[start].trim()) start++;
        while (start < end && !characters[end - 1].trim()) end--;
        return {start, end};
    }

    function mark(label) {
        const {start, end} = selected();
        if (start === end) return;
        spans = spans.filter((span) => span.end <= start || span.start >= end);
        if (label) spans.push({start, end, label});
        spans.sort((one, other) => one.start - other.start);
        show();
    }

    function show() {
        shown.replaceChildren();
        let at = 0;
        for (const {start, end, label} of spans) {
            shown.append(characters.slice(at, start).join(""));
            const marked = document.createElement("mark");
            marked.style.background = colours[label];
            marked.dataset.label = label;
            marked.textContent = `${signs[label]}[${characters.slice(start, end).join("")}]`;
            shown.append(marked);
            at = end;
        }
        shown.append(characters.slice(at).join(""));
        document.getElementById("spans").value = JSON.stringify(spans.map(({start, end, label}) => [start, end, label]));
    }

    const labels = {p: "Positive", b: "Negative", c: null};
    // It is not `readonly`: there a caret cannot be moved by the keyboard. Nothing that is typed stays.
    body.addEventListener("beforeinput", (event) => event.preventDefault());
    body.addEventListener("input", () => (body.value = told.body));
    body.value = told.body;
    body.setSelectionRange(0, 0);
    addEventListener("load", () => body.focus());
    body.addEventListener("keydown", (event) => {
        const key = event.key.toLowerCase();
        if (event.ctrlKey || event.metaKey || event.altKey || !(key in labels)) return;
        event.preventDefault();
        mark(labels[key]);
    });
    for (const button of document.querySelectorAll("[data-key]"))
        button.addEventListener("click", () => mark(labels[button.dataset.key]));
    show();
}
