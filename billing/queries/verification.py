"""Are the books in order? Read with flat memory, and by other code than that which wrote them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db import connection

from billing.ledger import chain
from billing.models import ChainHead, Journal, Transfer
from billing.queries import (
    ads,
    ads_back,
    disputes,
    earnings,
    instalments,
    invoices,
    memberships,
    outside,
    payouts,
    price_experiments,
    reconciliation,
    remittances,
    settlements,
    splits,
    withholding,
)
from billing.queries.questions import OF_SALES
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

MOST_FAULTS = 20  # of each promise: the first ones tell where to look
ROWS = 2_000
READ = ("pk", "journal_id", "debit__name", "credit__name", "currency", "amount", "digest")  # of a transfer

# What the database holds by constraints, asked again: whoever can lift a constraint can break it. Each returns the
# table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L1",
        """
        SELECT 'transfer', t.id, 'does not move an amount between two accounts of its currency'
        FROM billing_transfer t
        LEFT JOIN billing_account d ON d.tenant_id = t.tenant_id AND d.id = t.debit_id
        LEFT JOIN billing_account c ON c.tenant_id = t.tenant_id AND c.id = t.credit_id
        WHERE (t.amount > 0 AND t.debit_id <> t.credit_id AND d.currency = t.currency AND c.currency = t.currency)
              IS NOT TRUE
        ORDER BY t.id LIMIT %(most)s""",
    ),
    (
        "L1",
        """
        SELECT 'account', id, format('%%s is not the account of its kind, currency and owner', name)
        FROM billing_account
        WHERE name <> concat_ws('/', kind, currency, coalesce('creator/' || creator_id, 'member/' || member_id,
                                                              'channel/' || channel_id))
        ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L2",
        """
        SELECT 'account', a.id, format('%%s has debits %%s and credits %%s, but its transfers sum to %%s and %%s',
                                       a.name, a.debits, a.credits, coalesce(m.debits, 0), coalesce(m.credits, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT id, sum(debit) AS debits, sum(credit) AS credits
            FROM (
                SELECT debit_id, amount, 0 FROM billing_transfer UNION ALL
                SELECT credit_id, 0, amount FROM billing_transfer
            ) ends (id, debit, credit)
            GROUP BY id
        ) m ON m.id = a.id
        WHERE (a.debits, a.credits) <> (coalesce(m.debits, 0), coalesce(m.credits, 0))
        ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "L3",
        """
        SELECT 'account', id, format('%%s is below its floor', name) FROM billing_account
        WHERE credits - debits < floor ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L2",
        """
        SELECT 'account', a.id, format('%%s holds %%s, but coins for %%s were bought and not spent', a.name,
                       a.credits - a.debits, coalesce(b.bought, 0) - coalesce(g.spent, 0) - coalesce(h.held, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT o.viewer_id, o.currency, sum(l.amount - l.refunded) AS bought
            FROM billing_orderline l JOIN billing_order o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
            WHERE l.kind = 'coins' AND o.paid_at IS NOT NULL GROUP BY 1, 2
        ) b ON b.viewer_id = a.member_id AND b.currency = a.currency
        LEFT JOIN (
            SELECT viewer_id, currency, sum(amount) AS spent FROM billing_giving
            WHERE gift_id IS NOT NULL AND taken_back_at IS NULL GROUP BY 1, 2
        ) g ON g.viewer_id = a.member_id AND g.currency = a.currency
        LEFT JOIN (
            SELECT t.debit_id, sum(t.amount) AS held
            FROM billing_disputepart p JOIN billing_transfer t ON t.journal_id = p.journal_id
            WHERE p.released_id IS NULL GROUP BY 1
        ) h ON h.debit_id = a.id
        WHERE a.kind = 'coins'
              AND a.credits - a.debits <> coalesce(b.bought, 0) - coalesce(g.spent, 0) - coalesce(h.held, 0)
        ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "L5",
        """
        SELECT 'journal', j.id, 'lies beyond the end of the chain'
        FROM billing_journal j LEFT JOIN billing_chainhead h ON h.tenant_id = j.tenant_id
        WHERE j.seq > coalesce(h.seq, 0) ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'journal', max(id), format('the key %%s was posted %%s times', key, count(*)) FROM billing_journal
        GROUP BY key HAVING count(*) > 1 ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'order line', l.id, format('refunds of %%s, but %%s is noted and %%s was paid',
                                          coalesce(r.amount, 0), l.refunded, l.amount)
        FROM billing_orderline l
        LEFT JOIN (
            SELECT line_id, sum(amount) AS amount FROM billing_refund WHERE state <> 'failed' GROUP BY line_id
        ) r ON r.line_id = l.id
        WHERE l.refunded <> coalesce(r.amount, 0) OR l.refunded > l.amount ORDER BY l.id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'journal', j.id, 'books a refund that nobody knows of'
        FROM billing_journal j LEFT JOIN billing_refund r ON r.tenant_id = j.tenant_id AND r.journal_id = j.id
        WHERE j.kind = 'refund' AND r.id IS NULL ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'payment', p.id, format('%%s was captured, but %%s was booked', p.amount, coalesce(sum(t.amount), 0))
        FROM billing_payment p
        LEFT JOIN billing_transfer t ON t.tenant_id = p.tenant_id AND t.journal_id = p.journal_id
        WHERE p.state = 'captured'
        GROUP BY p.id HAVING p.amount <> coalesce(sum(t.amount), 0) ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'refund', r.id, format('%%s is given back, but %%s was booked', r.amount, coalesce(sum(t.amount), 0))
        FROM billing_refund r
        LEFT JOIN billing_transfer t ON t.tenant_id = r.tenant_id AND t.journal_id = r.journal_id
        GROUP BY r.id HAVING r.amount <> coalesce(sum(t.amount), 0) ORDER BY r.id LIMIT %(most)s""",
    ),
)

OF_CREATORS = (
    *disputes.QUESTIONS,
    *earnings.QUESTIONS,
    *payouts.QUESTIONS,
    *withholding.QUESTIONS,
    *settlements.QUESTIONS,
    *splits.QUESTIONS,
)
OF_PAPERS = (
    *price_experiments.QUESTIONS,
    *invoices.QUESTIONS,
    *remittances.QUESTIONS,
    *instalments.QUESTIONS,
    *outside.QUESTIONS,
    *ads.QUESTIONS,
    *ads_back.QUESTIONS,
)


@dataclass(frozen=True)
class Fault:
    """A promise that is broken, and the first row where it shows."""

    promise: str
    table: str
    row: int
    what: str


@dataclass
class Report:
    """What a tenant's books look like; `head` names the state that was checked."""

    tenant: str
    journals: int = 0
    transfers: int = 0
    head: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.faults


def ledger_report() -> Report:
    """Check the books of the scope's tenant: every promise that rows can break."""
    report = Report(tenant=current_tenant().slug)
    with connection.cursor() as cursor:
        asked = (*QUESTIONS, *OF_SALES, *OF_CREATORS, *OF_PAPERS, *memberships.QUESTIONS, *reconciliation.QUESTIONS)
        for promise, question in asked:
            cursor.execute(question, {"most": MOST_FAULTS})
            report.faults += [Fault(promise, *row) for row in cursor.fetchall()]
    _follow_the_chain(report)
    report.faults.sort(key=lambda fault: fault.promise)
    return report


def _follow_the_chain(report: Report) -> None:
    """Hash every journal and transfer again, in order, up to the head. The first broken link ends the walk."""
    head = ChainHead.objects.first()
    last_seq, last_link = (head.seq, bytes(head.link)) if head else (0, b"")
    report.head = f"{last_seq}:{last_link.hex()}"
    link, faults, tenant = b"", report.faults, current_tenant_id()
    for journal, transfers in _journals(up_to=last_seq):
        report.journals += 1
        report.transfers += len(transfers)
        digests = [_digest(t) for t in transfers]
        bad = [t.pk for t, digest in zip(transfers, digests, strict=True) if bytes(t.digest) != digest]
        faults += [
            Fault("L5", "transfer", pk, f"was changed after it was posted in journal {journal.pk}") for pk in bad
        ]
        digest = chain.digest_of_journal(kind=journal.kind, transfers=digests)
        if bad or digest != bytes(journal.digest):
            faults.append(Fault("L5", "journal", journal.pk, "its kind or its transfers are not those posted"))
            return
        seq = report.journals
        link = chain.link_of(before=link, digest=digest, tenant_id=tenant, seq=seq, at=journal.at, key=journal.key)
        if journal.seq != seq or link != bytes(journal.link):
            faults.append(Fault("L5", "journal", journal.pk, f"does not follow on number {seq - 1}"))
            return
    if head and (report.journals, link) != (last_seq, last_link):
        faults.append(Fault("L5", "chain head", head.pk, f"says {report.head}, the last journal says otherwise"))


def _digest(transfer: Any) -> bytes:
    return chain.digest_of_transfer(
        debit=transfer.debit__name,
        credit=transfer.credit__name,
        currency=transfer.currency,
        amount=transfer.amount,
    )


def _journals(*, up_to: int) -> Iterator[tuple[Journal, list[Any]]]:
    """Yield each journal with its transfers, in the chain's order: two cursors side by side, a batch at a time."""
    journals = Journal.objects.filter(seq__lte=up_to).order_by("seq", "pk").iterator(chunk_size=ROWS)
    posted = Transfer.objects.filter(journal__seq__lte=up_to).order_by("journal__seq", "journal_id", "pk")
    posted = posted.values_list(*READ, named=True)
    by_journal: Any = groupby(posted.iterator(chunk_size=ROWS), key=lambda transfer: transfer.journal_id)
    waiting: tuple[int, Iterator[Any]] | None = next(by_journal, None)
    for journal in journals:
        transfers: list[Any] = []
        if waiting and waiting[0] == journal.pk:
            transfers = list(waiting[1])
            waiting = next(by_journal, None)
        yield journal, transfers
