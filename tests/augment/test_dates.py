"""Weekdays and months are found where they plainly are such."""

import pytest

from augment.dates import dates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("on Monday, monday nights and MONDAYS", {"monday": 3}),
        ("Mon to Fri, Tues. or Thurs", {"monday": 1, "friday": 1, "tuesday": 1, "thursday": 1}),
        ("in march it rained, april was dry, 5 Dec", {"april": 1, "december": 1}),
        ("in March, IN MAY, May 5, since Mar 2015", {"march": 2, "may": 2}),
        ("on Sun, last Sat", {"sunday": 1, "saturday": 1}),
        ("I may march on. Sun is out, he sat", {}),
        ("Theresa May said, This May Be It", {}),
        ("mon ami wed her, dec and jan", {}),
        ("@Monday #friday http://t.co/Monday `May 5`", {}),
        ("", {}),
    ],
)
def test_days_and_months_count_where_they_are_plain(text, found):
    assert dict(dates(text)) == found
