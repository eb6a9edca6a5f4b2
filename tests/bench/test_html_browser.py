"""The page in a browser: what the script draws, sorts and tells, on a desk and on a phone."""

from __future__ import annotations

import pytest

from safemap.bench.contestants import REFERENCE
from safemap.bench.html import html
from tests.bench import made
from tests.bench.browser import GoneError, Page, found

CHROMIUM = found()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
PHONE = 360
A4 = 718
"""Its width without margins of a centimetre, in CSS pixels."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    try:
        page = Page(CHROMIUM, tmp_path_factory.mktemp("profile"))
    except GoneError:
        pytest.skip(f"{CHROMIUM} does not start")
    with page:
        yield page


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html(made.everything()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    """Return the page, freshly loaded, in a window of a desk."""
    browser.prefer(color_scheme="light")
    browser.size(1280)
    browser.open(address)
    return browser


def tip(page):
    return page.evaluate(
        "document.getElementById('tip').hidden ? null : document.getElementById('tip').textContent"
    )


def lightness(page, selector, what="backgroundColor"):
    """Return how light a colour is, 0 to 1."""
    script = (
        f"getComputedStyle(document.querySelector({selector!r})).{what}.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    )
    return sum(page.evaluate(script)) / 3 / 255


def test_nothing_goes_wrong_and_nothing_is_asked_for(page, address):
    assert page.evaluate("document.querySelectorAll('.plot').length") > 10
    assert page.evaluate("document.querySelectorAll('.plot .point').length") > 100
    assert page.errors() == []
    assert [each for each in page.requested() if each != address] == []


def test_no_chart_has_a_place_that_is_not_a_number(page):
    assert (
        page.evaluate(
            "/NaN|undefined|Infinity/.test([...document.querySelectorAll('.plot')].map(p => p.outerHTML).join())"
        )
        is False
    )


@pytest.mark.parametrize(
    "run", ["nothing", "quick", "interrupted", "hostile", "one block", "faulty", "no reference"]
)
def test_the_script_takes_any_run(browser, tmp_path, run):
    from tests.bench.test_html import RUNS

    path = tmp_path / "report.html"
    path.write_text(html(RUNS[run]()), encoding="utf-8")
    browser.open(path.as_uri())
    assert browser.errors() == []
    assert "NaN" not in browser.evaluate("document.querySelector('main').innerHTML")


def test_no_two_variants_look_alike_however_many_there_are(browser, tmp_path):
    names = [REFERENCE, *(f"Variant{number}" for number in range(11))]
    run = made.results({"reads-95": {threads: dict.fromkeys(names, 5e6) for threads in (1, 2)}})
    path = tmp_path / "report.html"
    path.write_text(html(run), encoding="utf-8")
    browser.size(1280)
    browser.open(path.as_uri())
    looks = browser.evaluate(
        "[...document.querySelector('.legend').querySelectorAll('svg')]"
        ".map(each => each.getAttribute('class') + each.innerHTML)"
    )
    assert len({*looks}) == len(looks) == len(names)


def test_a_click_on_a_header_sorts_by_number_and_again_the_other_way(page):
    column = """[...document.querySelectorAll('#everything tbody tr')].map(row => row.cells[3].dataset.v)
        .filter(value => value !== undefined).map(Number)"""
    head = "document.querySelectorAll('#everything thead th')[3]"
    assert page.evaluate(f"{head}.querySelector('button').type") == "button"
    before = page.evaluate(column)
    for order, reverse in (("ascending", False), ("descending", True)):
        page.evaluate(f"{head}.querySelector('button').click()")
        assert page.evaluate(f"{head}.getAttribute('aria-sort')") == order
        after = page.evaluate(column)
        assert after == sorted(before, reverse=reverse) != before
    page.evaluate("document.querySelector('#everything thead th button').click()")
    assert page.evaluate("document.querySelectorAll('#everything [aria-sort]').length") == 1


def test_the_filter_leaves_rows_with_all_words(page):
    page.evaluate("""(() => { const input = document.querySelector('[data-filter]');
        input.value = 'reads-95 Sharded'; input.dispatchEvent(new Event('input')); })()""")
    assert (
        page.evaluate("[...document.querySelectorAll('#everything tbody tr')].filter(row => !row.hidden).length")
        == 3
    )
    assert page.evaluate("document.querySelector('.filter output').textContent") == "3 of 27 rows"


def test_focus_on_a_cell_of_the_heat_map_tells_its_numbers(page):
    page.evaluate("document.querySelector('.heat td').focus()")
    assert tip(page) == "MutexMap on reads-95\n5.00 million per second"
    page.press("ArrowRight")
    assert tip(page) == "ShardedMap on reads-95\n2.00 × MutexMap\n10.0 million per second"
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    page.press("ArrowDown")
    assert "a tie: within noise" in tip(page)
    assert page.evaluate("document.querySelectorAll('.heat td[tabindex=\"0\"]').length") == 1
    page.press("Escape")
    assert tip(page) is None


def test_arrow_keys_go_from_point_to_point_of_a_chart(page):
    page.evaluate("document.querySelector('[data-charts=threads] .point').focus()")
    assert tip(page) == "MutexMap, 1 thread\n5.00 million per second\nall blocks 4.90–5.10"
    page.press("ArrowRight")
    assert tip(page).startswith("MutexMap, 2 threads")
    page.press("ArrowUp")
    assert tip(page) == (
        "CopyOnWriteMap, 2 threads\n8.00 million per second\nall blocks 7.84–8.16\n1.60 × MutexMap"
    )
    page.press("ArrowRight")
    assert "more threads than cores: nothing is claimed" in tip(page)
    page.press("ArrowRight")
    assert tip(page).startswith("CopyOnWriteMap, 4 threads")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "CopyOnWriteMap, 4 threads; 8.00"
    )


def test_tab_reaches_each_chart_once(page):
    stops = "[...document.querySelectorAll('.plot')].map(plot => plot.querySelectorAll('[tabindex=\"0\"]').length)"
    assert set(page.evaluate(stops)) == {1}
    page.evaluate("document.querySelector('[data-charts=latency] .legend button:last-child').focus()")
    page.press("Tab")
    assert (
        page.evaluate(
            "document.activeElement.closest('[data-charts]').dataset.charts + document.activeElement.tagName"
        )
        == "latencyg"
    )
    page.press("Tab")
    assert page.evaluate("document.activeElement.closest('.plot')") is None
    assert page.evaluate("document.activeElement.matches('.scroll')") is True


def test_the_pointer_shows_the_nearest_point(page):
    box = page.evaluate("""(() => { const dot = document.querySelector('[data-charts=sizes] .point .ring');
        dot.scrollIntoView({ block: 'center', behavior: 'instant' });
        const box = dot.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()""")
    page.drawn()
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + 2, y=box[1] + 2)
    page.drawn()
    assert tip(page) in {"MutexMap, 100 entries\n1.00 µs", "ShardedMap, 100 entries\n1.00 µs"}


def test_a_legends_button_takes_a_contestant_off_all_charts(page):
    lines = "document.querySelectorAll('.plot .line').length"
    before = page.evaluate(lines)
    page.evaluate(
        "[...document.querySelectorAll('.legend button')].find(b => b.textContent === 'ShardedMap').click()"
    )
    assert page.evaluate(lines) < before
    pressed = """[...document.querySelectorAll('.legend button')]
        .filter(button => button.textContent === 'ShardedMap').map(button => button.ariaPressed)"""
    assert set(page.evaluate(pressed)) == {"false"}
    assert "ShardedMap" not in page.evaluate(
        "[...document.querySelectorAll('.point')].map(p => p.ariaLabel).join()"
    )
    page.evaluate(
        "for (const b of document.querySelectorAll('[data-charts=sizes] [aria-pressed=true]')) b.click()"
    )
    assert page.errors() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_the_page_never_scrolls_sideways(page, scheme, width):
    page.prefer(color_scheme=scheme)
    page.size(width)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Whatever is wider lies in a box of its own.
    wide = f"""[...document.querySelectorAll('body *')].filter(each => !each.closest('.scroll, pre, .skip, #tip')
        && each.getBoundingClientRect().right > {width} + 1).map(each => each.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []


def test_all_of_it_fits_on_paper(page):
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        page.size(A4)
        assert page.evaluate("document.documentElement.scrollWidth") == A4
        assert lightness(page, "body") > 0.9
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.scroll:has(> .long)')).maxHeight") == "none"
        )
    finally:
        page.call("Emulation.setEmulatedMedia", media="")


def test_charts_are_drawn_for_the_width_that_there_is(page):
    boxes = """[...document.querySelectorAll('.plot')].map(plot =>
        [plot.viewBox.baseVal.width, plot.getBoundingClientRect().width])"""
    for width in (1280, PHONE):
        page.size(width)
        for drawn, shown in page.evaluate(boxes):
            assert drawn == pytest.approx(shown, abs=1)


def test_both_colour_schemes_and_the_button(page):
    assert lightness(page, "body") > 0.9
    assert lightness(page, "body", "color") < 0.2
    page.prefer(color_scheme="dark")
    assert lightness(page, "body") < 0.2
    assert lightness(page, "body", "color") > 0.8
    assert page.evaluate("document.getElementById('scheme').textContent") == "Light"
    page.evaluate("document.getElementById('scheme').click()")
    assert lightness(page, "body") > 0.9
    assert page.evaluate("document.getElementById('scheme').textContent") == "Dark"


def test_reduced_motion_is_respected(page):
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    page.prefer(reduced_motion="no-preference")
    assert page.evaluate(behaviour) == "smooth"
    page.prefer(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color, below) => {
    canvas.fillStyle = below; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (color) => color.map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const paper = getComputedStyle(document.body).backgroundColor;
  const poor = [];
  for (const each of document.querySelectorAll('main *, header *')) {
    if (![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    if (each.closest('noscript, .scale .tie')) continue;
    if (!each.getClientRects().length || each.closest('[aria-pressed=false], caption')) continue;
    const style = getComputedStyle(each);
    let color = each.closest('svg') ? style.fill : style.color;
    let ground = paper;
    for (let at = each; at; at = at.parentElement) {
      const own = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|transparent/.test(own)) { ground = own; break; }
    }
    const [one, other] = [light(rgb(color, ground)), light(rgb(ground, paper))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) poor.push([contrast.toFixed(2), color, ground, each.outerHTML.slice(0, 80)].join(' '));
  }
  return [...new Set(poor)];
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(page, scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    page.prefer(color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []
