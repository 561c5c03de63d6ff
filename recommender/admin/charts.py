"""Lines over steps, drawn as SVG: nothing is loaded, and the page of a run shows them while it goes on."""

from collections.abc import Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT, EDGE = 420, 160, 34
COLOURS = ("#7c3aed", "#0d9488", "#ea580c", "#2563eb", "#db2777", "#65a30d")


def line_chart(title: str, lines: Mapping[str, Points]) -> SafeString:
    """Draw each line (name → points of x and y) in one frame; lines without a point are left out."""
    drawn = {name: points for name, points in lines.items() if points}
    if not drawn:
        return SafeString()
    frame = _Frame([point for points in drawn.values() for point in points])
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(drawn))]
    paths = format_html_join(
        "",
        "<polyline points='{}' fill='none' stroke='{}' stroke-width='1.6'/>",
        ((frame.path(points), colour) for points, colour in zip(drawn.values(), colours, strict=True)),
    )
    legend = format_html_join(
        " ", "<span style='color:{}'>■ {}</span>", ((colour, name) for name, colour in zip(drawn, colours, strict=True))
    )
    return format_html(
        "<figure class='inline-block mr-6 mb-4 align-top'><figcaption class='font-semibold'>{}</figcaption>"
        "<svg viewBox='0 0 {} {}' width='{}' height='{}' role='img' aria-label='{}'>{}{}</svg>"
        "<div class='text-xs'>{}</div></figure>",
        *(title, WIDTH, HEIGHT, WIDTH, HEIGHT, title, frame.axes(), paths, legend),
    )


class _Frame:
    """Where a point of the data lies on the drawing."""

    def __init__(self, points: Points) -> None:
        self.left, self.right = (float(edge(x for x, _ in points)) for edge in (min, max))
        self.low, self.high = (float(edge(y for _, y in points)) for edge in (min, max))

    def path(self, points: Points) -> str:
        """Return the points in the drawing's coordinates; a single one becomes a dash."""
        many = [*points, *points] if len(points) == 1 else points
        places = [(self._x(x), self._y(y)) for x, y in many]
        if len(points) == 1:
            places[1] = (places[0][0] + 6, places[0][1])
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    def axes(self) -> SafeString:
        """Return the frame with the least and the greatest value of either axis."""
        bottom = HEIGHT - EDGE / 2
        words = (
            (0, 12, f"{self.high:.4g}"),
            (0, bottom, f"{self.low:.4g}"),
            (EDGE, HEIGHT - 2, f"{self.left:g}"),
            (WIDTH - EDGE, HEIGHT - 2, f"{self.right:g}"),
        )
        lines = format_html(
            "<path d='M{} 4V{}H{}' fill='none' stroke='currentColor' opacity='.35'/>", EDGE, bottom, WIDTH
        )
        return lines + format_html_join("", "<text x='{}' y='{}' font-size='10' fill='currentColor'>{}</text>", words)

    def _x(self, x: float) -> float:
        return EDGE + (WIDTH - EDGE - 10) * (x - self.left) / ((self.right - self.left) or 1)

    def _y(self, y: float) -> float:
        whole = HEIGHT - EDGE / 2 - 12
        return 8 + whole * (1 - (y - self.low) / ((self.high - self.low) or 1))
