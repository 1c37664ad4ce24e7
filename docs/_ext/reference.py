"""Write the pages of the reference: a table for each topic of topics.toml, a page for each name.

The text of a page is its docstring's (autodoc); here stand only what leads to it, who answers, and
what belongs beside it. `tests/unit/test_topics.py` holds the topics to the public names.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tomllib
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pymlm
from pymlm.results.base import Result

TOPICS = Path(__file__).resolve().parent.parent / "topics.toml"

#: Fitted models, and what fits them; the first that has a question speaks for those that share it.
MODELS = {
    "LinearMixedModel": "lmer",
    "GeneralizedLinearMixedModel": "glmer",
    "NonlinearMixedModel": "nlmer",
    "MultipleMembershipModel": "multiple_membership",
    "NlmeModel": "lme, gls",
    "LinearModel": "lm",
    "GeneralizedLinearModel": "glm",
    "LmList": "lm_list",
}


@dataclass(frozen=True)
class Topic:
    """A table of names: `key` -> R's name, "" where R has no one function."""

    page: str
    title: str
    intro: str
    names: dict[str, str]
    module: str = ""


def topics() -> list[Topic]:
    return [Topic(**found) for found in tomllib.loads(TOPICS.read_text("utf-8"))["topic"]]


@dataclass(frozen=True)
class Name:
    """A public name: ``lmer``, ``m.anova``, ``plot.qq``, or a result's class."""

    key: str

    @property
    def owners(self) -> list[str]:
        """The models that answer, for a question ``m.x``."""
        asked = self.key.removeprefix("m.")
        return [c for c in MODELS if hasattr(getattr(pymlm, c), asked)]

    @cached_property
    def target(self) -> str:
        """Where autodoc finds it."""
        if self.key.startswith("m."):
            return f"pymlm.{self.owners[0]}.{self.key[2:]}"
        return self.key if self.key.startswith("pymlm.") else f"pymlm.{self.key}"

    @cached_property
    def item(self) -> Any:
        module, _, name = self.target.rpartition(".")
        model = module.rpartition(".")[2]
        if model in MODELS:
            return inspect.getattr_static(getattr(pymlm, model), name)
        return getattr(importlib.import_module(module), name)

    @property
    def title(self) -> str:
        return self.key.rpartition(".")[2] if self.key.startswith("pymlm.") else self.key

    @property
    def page(self) -> str:
        """Its file; no two differ in case alone, which some file systems do not tell apart."""
        if self.key.startswith("pymlm."):
            return f"result.{self.title}"
        return f"model.{self.key[2:]}" if self.key.startswith("m.") else self.key

    @property
    def has_page(self) -> bool:
        return inspect.isclass(self.item) or (callable(self.item) and self.key != "options")

    @property
    def summary(self) -> str:
        first = (inspect.getdoc(self.item) or "").split("\n\n")[0]
        return " ".join(first.split()).rstrip(".")

    @property
    def link(self) -> str:
        """To its page, to where it stands on its topic's page, or (a module) to a section."""
        if self.has_page:
            return f":doc:`{self.title} </reference/names/{self.page}>`"
        if self.key in ("errors", "plot", "sklearn"):
            return f":py:mod:`{self.key} <pymlm.{self.key}>`"
        return f":py:obj:`{self.title} <{self.target}>`"


def page_of(title: str, *blocks: str) -> str:
    head = f"{title}\n{'=' * len(title)}\n"
    return "\n".join([head, ".. currentmodule:: pymlm\n", *blocks]) + "\n"


def directive(name: str, argument: str = "", *options: str) -> str:
    return "\n   ".join([f".. {name}:: {argument}".rstrip(), *options]) + "\n"


def table(head: list[str], rows: list[list[str]], widths: str) -> str:
    cells = [(i, cell) for row in [head, *rows] for i, cell in enumerate(row)]
    lines = [f"{'  ' if i else '* '}- {cell}" for i, cell in cells]
    options = [":header-rows: 1", f":widths: {widths}", ":class: names", ""]
    return directive("list-table", "", *options, *lines)


def children(pages: list[str]) -> str:
    return directive("toctree", "", ":hidden:", "", *pages)


# --- one page a name -----------------------------------------------------------------------------


def variants(name: Name) -> Iterator[tuple[str, list[str]]]:
    """The versions of a question: the class that speaks for each, and the models it is for."""
    asked = name.key[2:]
    by_code: dict[int, list[str]] = {}
    for owner in name.owners:
        code = inspect.getattr_static(getattr(pymlm, owner), asked)
        by_code.setdefault(id(code), []).append(owner)
    for owners in by_code.values():
        yield owners[0], [f":doc:`{MODELS[o]} </reference/names/{o}>`" for o in owners]


def question_blocks(name: Name) -> Iterator[str]:
    found = list(variants(name))
    everyone = len(found) == 1 and len(found[0][1]) == len(MODELS)
    for owner, models in found:
        yield "For every model.\n" if everyone else f"For models of {', '.join(models)}.\n"
        kind = "automethod" if callable(name.item) else "autoproperty"
        yield directive(kind, f"pymlm.{owner}.{name.key[2:]}")


def answered_by(cls: str) -> Iterator[str]:
    """What a model answers, by topic."""
    model = getattr(pymlm, cls)
    for topic in topics():
        names = [Name(k) for k in topic.names if k.startswith("m.") and hasattr(model, k[2:])]
        if names:
            links = [n.link for n in names]
            yield f":doc:`{topic.title} </reference/{topic.page}>`\n   {', '.join(links)}\n"


def name_page(name: Name, topic: Topic) -> str:
    if name.key.startswith("m."):
        blocks = list(question_blocks(name))
    elif name.key in MODELS:
        blocks = [directive("autoclass", name.target), ".. rubric:: What it answers\n"]
        blocks += answered_by(name.key)
    elif inspect.isclass(name.item):
        blocks = [directive("autoclass", name.target, ":members:")]
    else:
        blocks = [directive("autofunction", name.target)]
    if topic.names[name.key]:
        blocks.append(f"In R: ``{topic.names[name.key]}``.\n")
    beside = [Name(k) for k in topic.names if k != name.key]
    links = ", ".join(n.link for n in beside if n.has_page)
    also = f".. rubric:: See also\n\n:doc:`{topic.title} </reference/{topic.page}>`: {links}\n"
    return page_of(name.title, *blocks, also if links else "")


def topic_page(topic: Topic) -> str:
    names = [Name(k) for k in topic.names]
    in_r = {key: f"``{r}``" if r else "" for key, r in topic.names.items()}
    rows = [[n.link, n.summary, in_r[n.key]] for n in names]
    blocks = [f"{topic.intro}\n", table(["name", "what it does", "in R"], rows, "24 52 24")]
    if topic.module:
        blocks.append(directive("automodule", topic.module, ":no-members:"))
    for name in names:
        if name.key == "errors":
            blocks.append(directive("automodule", "pymlm.errors", ":members:"))
        elif name.key == "sklearn":
            blocks.append(directive("automodule", "pymlm.sklearn", ":no-members:"))
            regressor = "pymlm.sklearn.regressor.MixedRegressor"
            made = ":exclude-members: set_fit_request, set_predict_request, set_score_request"
            blocks.append(directive("autoclass", regressor, ":members:", made))  # by scikit-learn
        elif name.key == "options":
            blocks.append(directive("autodata", "pymlm.options", ":no-value:"))
            blocks.append(directive("autoclass", "pymlm.options.Options", ":members:"))
        elif name.key == "__version__":
            blocks.append(directive("autodata", "pymlm.__version__"))
        elif name.key.startswith("m.") and not name.has_page:
            blocks += question_blocks(name)
    pages = [f"names/{n.page}" for n in names if n.has_page]
    return page_of(topic.title, *blocks, children(pages) if pages else "")


# --- results -------------------------------------------------------------------------------------


def result_classes() -> list[Name]:
    """Every class of results that has no page among the topics; the base of all comes first."""
    for module in pkgutil.walk_packages(pymlm.__path__, "pymlm."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = [], [Result]
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        if not cls.__name__.startswith("_") and cls.__name__ not in pymlm.__all__:
            found.append(Name(f"{cls.__module__}.{cls.__name__}"))
    return sorted(set(found), key=lambda n: (n.item is not Result, n.title))


def givers() -> dict[str, list[Name]]:
    """Class of a result -> what returns it."""
    found: dict[str, list[Name]] = {}
    for name in (Name(k) for t in topics() for k in t.names):
        if name.has_page and not inspect.isclass(name.item):
            returned = str(typing.get_overloads(name.item) or "") + str(
                getattr(name.item, "__annotations__", {}).get("return", "")
            )
            for word in set(re.findall(r"[A-Z]\w+", returned)):
                found.setdefault(word, []).append(name)
    return found


def results_pages() -> dict[str, str]:
    from_whom, names = givers(), result_classes()
    base, rows, pages = names[0], [], {}
    for name in names:
        given = from_whom.get(name.title, [])
        links = ", ".join(g.link for g in given)
        rows.append([name.link, name.summary, links])
        returns = "return" if len(given) > 1 else "returns"
        by = f"What {links} {returns}.\n" if given else ""
        more = "" if name is base else f"It has the methods of every result: {base.link}.\n"
        pages[f"names/{name.page}"] = page_of(
            name.title, by, directive("autoclass", name.target, ":members:"), more
        )
    intro = (
        "What questions return: frozen dataclasses that print as R prints. Arrays are read-only; "
        "``to_frame()`` gives a fresh frame.\n"
    )
    pages["results"] = page_of(
        "Results", intro, table(["class", "what it is", "from"], rows, "24 46 30"),
        children([f"names/{n.page}" for n in names]),
    )  # fmt: skip
    return pages


INDEX = """\
Every public name stands in one of these tables; each has a page of its own. Names that start with
``m.`` are questions to a fitted model, ``plot.`` stands for ``mlm.plot.``, everything else for
``mlm.`` (``import pymlm as mlm``). Which class of models answers which question: :doc:`/support`.
"""


def write(target: Path) -> None:
    """Write all pages below `target`; what is there and has not changed keeps its time."""
    pages = results_pages()
    for topic in topics():
        pages[topic.page] = topic_page(topic)
        pages |= {
            f"names/{n.page}": name_page(n, topic) for n in map(Name, topic.names) if n.has_page
        }
    listed = [t.page for t in topics()] + ["results"]
    rows = [
        [f":doc:`{t.title} </reference/{t.page}>`", ", ".join(Name(n).link for n in t.names)]
        for t in topics()
    ]
    rows.append([":doc:`Results </reference/results>`", "every class that a question returns"])
    toctree = directive("toctree", "", ":hidden:", ":maxdepth: 1", "", *listed)
    pages["index"] = page_of("Reference", INDEX, table(["topic", "names"], rows, "30 70"), toctree)
    (target / "names").mkdir(parents=True, exist_ok=True)
    wanted = {target / f"{page}.rst": text for page, text in pages.items()}
    for old in set(target.rglob("*.rst")) - set(wanted):
        old.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
