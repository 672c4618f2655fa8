"""The commands on published versions: what they hold, what names mean, what goes."""

import sys
from pathlib import Path

import click

from flows.options import JSON, STORE, answer


@click.command()
@click.argument("versions", nargs=-1)
@click.option("--deep", is_flag=True, help="read every row too, and hash it against the manifest")
@STORE
@JSON
def verify(versions: tuple[str, ...], deep: bool, store: str, as_json: bool) -> None:
    """Check VERSIONS (ids, prefixes or names; all by default): that no byte changed since they were published."""
    from flows import versions as published

    found = published.verify(versions, Path(store), deep=deep, quiet=as_json)
    answer(found, as_json, published.show_verified)
    if not found["ok"]:
        sys.exit(1)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--markdown", type=click.Path(path_type=Path), metavar="FILE", help="write the page for a review there"
)
@click.option(
    "--lexicon", metavar="NAME", help="count mentions too, by a lexicon: `mentions`, or a file of your own"
)
@STORE
@JSON
def diff(a: str, b: str, markdown: Path | None, lexicon: str | None, store: str, as_json: bool) -> None:
    """Tell what version B has that A has not: rows and tokens added, removed, changed, moved; what changed in the audit."""
    from flows import compare

    held = compare.compare(a, b, Path(store), lexicon)
    if markdown is not None:
        markdown.write_text(compare.markdown(held), encoding="utf-8")
    answer(held, as_json, compare.show)


@click.command()
@click.argument("name", required=False)
@STORE
@JSON
def log(name: str | None, store: str, as_json: bool) -> None:
    """Tell what NAME has meant, the newest first; all names by default."""
    from flows import versions as published

    answer(published.log(name, Path(store)), as_json, published.show_log)


@click.command()
@click.argument("name")
@click.option("--to", metavar="VERSION", help="id, prefix or NAME~N; what it meant before by default")
@STORE
@JSON
def rollback(name: str, to: str | None, store: str, as_json: bool) -> None:
    """Let NAME mean an earlier version again. No version is removed, and the log keeps all."""
    from flows import versions as published

    answer(published.roll_back(name, to, Path(store)), as_json, published.show_rolled_back)


@click.command()
@click.argument("run_or_version")
@click.option(
    "--reason", required=True, help="why this may be used though the gate failed; stays beside the version"
)
@click.option("--by", metavar="NAME", help="who approves; this system's user by default")
@STORE
@JSON
def release(run_or_version: str, reason: str, by: str | None, store: str, as_json: bool) -> None:
    """Approve the candidate that a gate stopped (of RUN, `latest`, or a version), and let the recipe's name mean it."""
    from flows import release as releasing

    answer(releasing.release(run_or_version, reason, Path(store), by), as_json, releasing.show)


@click.command()
@click.option("--source", metavar="NAME", help="all rows of a source, now and later")
@click.option("--row", metavar="ROW", help="a row's id, a unique prefix of it, or its key")
@click.option("--pattern", metavar="REGEX", help="rows whose text matches (RE2's syntax)")
@click.option("--why", required=True, help="the reason, for the log of names and for tombstones")
@click.option("--withdraw", is_flag=True, help="take back every version that holds one of them")
@click.option("--dry-run", is_flag=True, help="say what had seen them, and change nothing")
@STORE
@JSON
def forget(
    source: str | None,
    row: str | None,
    pattern: str | None,
    why: str,
    withdraw: bool,
    dry_run: bool,
    store: str,
    as_json: bool,
) -> None:
    """Forget rows and all that grew of them: publish without them, erase what quotes them, list what had seen them."""
    from corpus.forgetting.find import Wanted
    from flows import forget as forgetting

    held = forgetting.forget(
        Wanted(source, row, pattern), Path(store), why, withdraw=withdraw, dry_run=dry_run, quiet=as_json
    )
    answer(held, as_json, forgetting.show)


@click.command("gc")
@click.option(
    "--days", type=click.FloatRange(min=0), default=30, show_default=True, help="leave what is younger"
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="keep what the last N entries of each name mean; all by default",
)
@click.option("--dry-run", is_flag=True, help="say what would go, and remove nothing")
@STORE
@JSON
def collect(days: float, keep: int | None, dry_run: bool, store: str, as_json: bool) -> None:
    """Remove what nobody needs: versions that no name means, runs that made none, what they left behind."""
    from flows import collect as collecting

    answer(collecting.collect(Path(store), days, keep, dry_run=dry_run), as_json, collecting.show)


@click.command()
@click.argument("version")
@click.option("--why", required=True, help="the reason, which its tombstone will tell")
@STORE
@JSON
def withdraw(version: str, why: str, store: str, as_json: bool) -> None:
    """Take VERSION back: its rows are removed, and a tombstone says why to whoever asks for it."""
    from flows import versions as published

    answer(published.withdraw(version, why, Path(store)), as_json, published.show_withdrawn)


COMMANDS = (verify, diff, log, rollback, release, forget, collect, withdraw)
