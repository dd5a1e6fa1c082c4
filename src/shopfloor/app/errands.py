"""Which errands a served board has."""

from __future__ import annotations

from collections.abc import Callable

from shopfloor.app.service import BoardService
from shopfloor.daemon.deliveries import Deliveries
from shopfloor.daemon.errands import Errand
from shopfloor.daemon.hooks import HookErrand
from shopfloor.daemon.receipts import ReceiptErrand
from shopfloor.daemon.schedules import ScheduleErrand
from shopfloor.ops.schedule_tasks import maker


def errands_of(
    service: BoardService, ring: Callable[[], None], say: Callable[[str], None]
) -> list[Errand]:
    """Make the errands of a board that `shop up` serves.

    `ring` makes them look again, for threads that have done something; `say` tells who runs `shop up`.
    """
    return [
        Deliveries(service, ring, host=service.host, base=service.base_environment),
        ReceiptErrand(service),
        HookErrand(service, say),
        ScheduleErrand(service.database, maker(service), lambda: service.files),
    ]
