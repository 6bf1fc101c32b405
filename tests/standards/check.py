"""Every check, one after the other."""

import asking
import calendars  # noqa: F401
import descriptions  # noqa: F401
import interface  # noqa: F401
import sdmx  # noqa: F401
import tables  # noqa: F401

asking.conclude()
