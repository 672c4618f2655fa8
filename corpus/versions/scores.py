"""What gates measured of a version's grown rows, whichever run grew them."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from corpus.schema import SCORES, SPLITS, UserError
from corpus.versions.version import Version

SCORES_FILE = "attestations/scores.parquet"


def scores(version: Version) -> pa.Table:
    """Return what was measured of the rows of a version, and of the candidates that its own run refused (`SCORES`)."""
    if not version.has(SCORES_FILE):
        return SCORES.empty_table()
    return pq.read_table(io.BytesIO(version.said(SCORES_FILE)), schema=SCORES)


def attest_scores(version: Version, base: Version | None, own: pa.Table) -> None:
    """Lay beside a version what its run measured, behind what is known of the rows that it has of the version it builds on."""
    raw = io.BytesIO()
    pq.write_table(pa.concat_tables([_carried(version, base), own]), raw, compression="zstd")
    version.attest(SCORES_FILE, raw.getvalue())


def _carried(version: Version, base: Version | None) -> pa.Table:
    if base is None:
        return SCORES.empty_table()
    try:
        known = scores(base)
    except UserError:  # what is broken is not said of another; `winnow verify` tells why
        return SCORES.empty_table()
    with version.reading():
        files = [str(file) for split in SPLITS for file in version.files(split)]
        if not files or not len(known):
            return SCORES.empty_table()
        grown = pc.field("parent").is_valid()
        held = ds.dataset(files).to_table(columns=["id"], filter=grown)["id"].combine_chunks()
    return known.filter(pc.is_in(known["id"], held))
