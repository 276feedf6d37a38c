"""The page in a real browser: nothing is asked of a network, charts are drawn, the keyboard gets everywhere, text
can be read in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curate.report import write_report
from tests.report.browser import Tab, chromium, executable
from tests.report.outputs import write_output

pytestmark = pytest.mark.skipif(executable() is None, reason="there is no Chromium on this machine")

#: Ratio of text of 18.66 px bold or 24 px, and of other text: WCAG 2.2, success criterion 1.4.3.
LARGE, SMALL = 3.0, 4.5

#: Every text that is seen, with its colour, size, weight and the colours behind it, from the nearest to the page's.
TEXTS = """
(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, .hidden")) continue;
    const style = getComputedStyle(element);
    const behind = [];
    for (let each = element; each; each = each.parentElement) behind.push(getComputedStyle(each).backgroundColor);
    const svg = element.closest("svg") !== null;
    found.push([walker.currentNode.data.trim().slice(0, 40), svg ? style.fill : style.color,
                parseFloat(style.fontSize), parseInt(style.fontWeight), behind, svg]);
  }
  return found;
})()
"""
#: What the keyboard has to reach, in the order of the page.
WANTED = """
[...document.querySelectorAll("a[href], summary, [tabindex='0']")]
  .filter((each) => each.checkVisibility())
  .map((each, place) => { each.dataset.place = place; return each.textContent.trim().slice(0, 30); })
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    pytest.importorskip("websocket", reason="the package websocket-client drives the browser")
    folder = tmp_path_factory.mktemp("browser")
    out = write_output(folder)
    write_report(str(out))
    with chromium(folder / "profile") as tab:
        tab.show()
        tab.open(out / "report" / "index.html")
        yield tab


def test_nothing_goes_wrong_and_nothing_is_asked_for(tab: Tab) -> None:
    complaints = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert [event for event in tab.events if event["method"] in complaints] == []
    asked = [
        event["params"]["request"]["url"]
        for event in tab.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if url.startswith("file:")] == [url for url in asked if url[:5] != "data:"]
    assert len([url for url in asked if url.startswith("file:")]) == 1


def test_every_chart_is_drawn(tab: Tab) -> None:
    charts = tab.evaluate(
        """[...document.querySelectorAll(".chart")].map((chart) => [
             chart.id, chart.querySelectorAll(".trace, .cartesianlayer image").length, chart.clientWidth])"""
    )
    assert len(charts) == 16
    assert [chart for chart in charts if not chart[1] or chart[2] < 200] == []


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_does_not_scroll_sideways(tab: Tab, width: int) -> None:
    tab.show(width=width)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate(
        "[...document.querySelectorAll('.chart')].every((c) => c.scrollWidth <= c.clientWidth)"
    )


@pytest.mark.parametrize("width", [1280, 400])
def test_the_keyboard_reaches_everything(tab: Tab, width: int) -> None:
    tab.show(width=width)
    tab.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    wanted = tab.evaluate(WANTED)
    reached = []
    tab.press_tab()
    if tab.evaluate("document.activeElement === document.body"):
        tab.press_tab()  # From the last element the keyboard goes on to the browser, then to the first.
    for _ in wanted:
        reached.append(tab.evaluate("document.activeElement.dataset.place ?? document.activeElement.tagName"))
        tab.press_tab()
    assert reached == [str(place) for place in range(len(wanted))]
    # What scrolls sideways can be scrolled by keys, since it can have the focus.
    assert (
        tab.evaluate(
            """[...document.querySelectorAll(".scroll")]
             .filter((box) => box.scrollWidth > box.clientWidth && box.tabIndex < 0).length"""
        )
        == 0
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(tab: Tab, scheme: str) -> None:
    tab.show(scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    texts = tab.evaluate(TEXTS)
    assert len(texts) > 300
    assert any(svg for *_, svg in texts)
    poor = []
    for text, colour, size, weight, behind, _ in texts:
        ratio = contrast(parsed(colour), backdrop(behind))
        if ratio < (LARGE if size >= 24 or (size >= 18.66 and weight >= 700) else SMALL):
            poor.append((text, colour, behind[0], round(ratio, 2)))
    assert poor == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_on_the_matrix_can_be_read(tab: Tab, scheme: str) -> None:
    """They stand on the cells of an image, which the test of texts does not see: ink on both ends of the scale."""
    tab.show(scheme=scheme)
    for cell in ("--cell", "--heat"):
        ink, behind = (
            tab.evaluate(
                f"""(() => {{ const probe = document.body.appendChild(document.createElement("i"));
                  probe.style.color = "var({name})"; const found = getComputedStyle(probe).color;
                  probe.remove(); return found; }})()"""
            )
            for name in ("--ink", cell)
        )
        assert contrast(parsed(ink), parsed(behind)[:3]) >= SMALL


def test_it_prints(tab: Tab, tmp_path: Path) -> None:
    tab.show(scheme="dark")
    tab.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert not tab.evaluate("document.documentElement.classList.contains('paper')")


def parsed(colour: str) -> tuple[float, ...]:
    """Red, green, blue in 0 to 255, and opacity, of `rgb(...)` or `rgba(...)`."""
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].replace(",", " ").split()]
    return (*parts[:3], parts[3] if len(parts) > 3 else 1.0)


def backdrop(behind: list[str]) -> tuple[float, ...]:
    """The colour that layers, the nearest first, make on white."""
    found: tuple[float, ...] = (255.0, 255.0, 255.0)
    for layer in reversed(behind):
        *colour, opacity = parsed(layer)
        found = tuple(opacity * top + (1 - opacity) * below for top, below in zip(colour, found, strict=True))
    return found


def contrast(text: tuple[float, ...], behind: tuple[float, ...]) -> float:
    """The ratio of WCAG 2.2 of a text's colour, which may be translucent, on an opaque one."""
    mixed = [text[3] * top + (1 - text[3]) * below for top, below in zip(text[:3], behind, strict=True)]
    lighter, darker = sorted((luminance(mixed), luminance(behind)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Any) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
