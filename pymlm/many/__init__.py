"""Many fits of one formula: by group, or for many responses, in as many processes as wanted."""

from pymlm.many.fits import ManyFits
from pymlm.many.fitting import fit_many
from pymlm.many.power import Power, power
from pymlm.many.tables import Failure

__all__ = ["Failure", "ManyFits", "Power", "fit_many", "power"]
