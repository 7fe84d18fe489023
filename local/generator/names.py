"""The words of the generated data, and how names, titles and places are composed from them.

Everything here is invented. Besides ordinary words there are deliberately awkward ones: quotes,
backslashes, commas, SQL, control characters, trailing blanks, non-Latin letters and emoji, all of
which real titles contain sooner or later.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

FEMALE_NAMES = (
    "Amara", "Beatriz", "Chloé", "Daphne", "Elif", "Freya", "Greta", "Hana", "Ingrid", "Josefa",
    "Keiko", "Leila", "Mirela", "Noor", "Ottilie", "Priya", "Renée", "Siobhán", "Tamsin", "Zoë",
)  # fmt: skip
MALE_NAMES = (
    "Anselm", "Bruno", "Cédric", "Dmitri", "Emeka", "Farid", "Günther", "Hugo", "Ivo", "Jamal",
    "Kofi", "Luca", "Mateusz", "Nils", "Omar", "Pavel", "Quentin", "Rafael", "Søren", "Tadeo",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Blomqvist", "Castellanos", "D'Angelo", "Eze", "Fairweather", "García", "Horváth",
    "Ivanova", "Jørgensen", "Kowalczyk", "Lindqvist", "Moreau", "Nakamura", "O'Shea", "Pemberton",
    "Quintero", "Rossi", "Smith-Jones", "Tanaka", "Ueda", "Vasquez", "Whitlock", "Öztürk", "Zhou",
)  # fmt: skip
USER_LOCATIONS = (
    "Albuquerque, NM", "Anchorage, AK", "Boise City, ID", "Buffalo-Cheektowaga-Niagara Falls, NY",
    "Cañon City, CO", "Chattanooga, TN-GA", "Denver-Aurora-Lakewood, CO", "Duluth, MN-WI",
    "El Paso, TX", "Fargo, ND-MN", "Grand Rapids-Wyoming, MI", "Knoxville, TN", "Mayagüez, PR",
    "Omaha-Council Bluffs, NE-IA", "Reno, NV", "Spokane-Spokane Valley, WA", "Tulsa, OK",
    "Urban Honolulu, HI", "Virginia Beach-Norfolk-Newport News, VA-NC", "Worcester, MA-CT",
)  # fmt: skip
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
USER_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/70.0.3538.77 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) {_WEBKIT} Version/12.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 12_0 like Mac OS X) {_WEBKIT} Mobile/15E148",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; AS; rv:11.0) like Gecko",
    f"Mozilla/5.0 (Linux; Android 9; Pixel 3) {_WEBKIT} Chrome/69.0.3497.100 Mobile",
)
ARTIST_LOCATIONS = (
    "Lyon, France", "São Paulo, Brasil", "Leeds, England", "Oslo", "Montréal, QC", "Kyoto, Japan",
    "Lisbon [Alfama]", "Ann Arbor, MI", "Reykjavík", "Accra, Ghana", "Nowhere; USA", "Wellington",
)  # fmt: skip

_ADJECTIVES = (
    "Amber", "Broken", "Crimson", "Distant", "Electric", "Foolish", "Golden", "Hollow", "Idle",
    "Jagged", "Lonely", "Midnight", "Northern", "Paper", "Quiet", "Restless", "Silver", "Tender",
)  # fmt: skip
_NOUNS = (
    "Anchors", "Bridges", "Carousel", "Daylight", "Embers", "Foxes", "Gardens", "Harbour",
    "Islands", "Lanterns", "Mirrors", "Orchard", "Parade", "River", "Sparrows", "Telegraph",
    "Umbrella", "Windows",
)  # fmt: skip
_TITLE_ENDS = (
    "", "", "", "", " (Live)", " (Album Version)", " [Remastered]", " Pt. 2", " / Reprise",
)  # fmt: skip
_AWKWARD_TITLES = (
    'She Said "Stay"', "C:\\Music\\Loops\\01", "One, Two, Three", "Größe über Alles?", "NULL",
    "🎵 Sunflower 🌻", "夜の汽車", "It's Over'; DROP TABLE songs; --", "100% $1 :name {brace}",
    "Half an Hour\x19s Rain", "Open Ending ", "Ночной поезд",
)  # fmt: skip
_AWKWARD_ARTISTS = (
    "Los Niños del Río", "Sigur Røs & Söner", 'Edith "Ziggy" Malone', "Slash\\Back", "東京サーカス",
    "The Ønes, The Tẅos", "DJ 🎧 Lumen", "O'Malley/O'Reilly",
)  # fmt: skip


def pick(rnd: Random, values: Sequence[T]) -> T:
    """One of `values`. All randomness comes from Random.random(), whose sequence Python promises
    never to change for a seed (docs.python.org/3/library/random.html, Notes on Reproducibility).
    """
    return values[int(rnd.random() * len(values))]


def title(rnd: Random, number: int) -> str:
    """The title of song `number`; every tenth is awkward, each kind in turn."""
    if number % 10 == 4:
        return _AWKWARD_TITLES[number // 10 % len(_AWKWARD_TITLES)]
    return f"{pick(rnd, _ADJECTIVES)} {pick(rnd, _NOUNS)}{pick(rnd, _TITLE_ENDS)}"


def artist(rnd: Random, number: int) -> str:
    """The name of artist `number`; every tenth is awkward, each kind in turn."""
    if number % 10 == 3:
        return _AWKWARD_ARTISTS[number // 10 % len(_AWKWARD_ARTISTS)]
    return f"{pick(rnd, ('The ', '', '', 'DJ '))}{pick(rnd, _ADJECTIVES)} {pick(rnd, _NOUNS)}"


def artist_variant(rnd: Random, name: str) -> str:
    """`name` as another record spells it: never equal to `name`."""
    return pick(rnd, (f"{name} feat. Greta Moreau", f"{name};Ivo Eze", f"{name} (Band)"))


def mojibake(text: str) -> str:
    """`text` decoded wrongly twice, as the real logs have every non-ASCII letter: é is Ã\x83Â©."""
    for _ in range(2):
        text = text.encode().decode("latin-1")
    return text
