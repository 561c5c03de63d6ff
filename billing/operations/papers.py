"""What is written for the buyer and the tax office: taxes, invoices and credit notes, 发票 asked for, tax withheld."""

from billing.operations.documents import issue_credit_note, issue_invoices
from billing.operations.invoice_requests import (
    AskedBefore,
    Decided,
    NothingToBill,
    NotYoursToAsk,
    StaffIssue,
    ask_for_invoice,
    issue_requested,
    reject_requested,
)
from billing.operations.remittances import (
    NothingOwed,
    ReceiptNeeded,
    ReceiptUsed,
    RemittanceKeyTaken,
    confirm_remittance,
    draft_remittance,
    withdraw_remittance,
)
from billing.operations.tax_ids import BadTaxId
from billing.operations.taxes import BadTaxRule, StaffSetTaxes, TwoTaxes, bill_to, set_tax_rule
from billing.operations.withholding import set_withholding_rule, tax_as

__all__ = [
    "AskedBefore",
    "BadTaxId",
    "BadTaxRule",
    "Decided",
    "NotYoursToAsk",
    "NothingOwed",
    "NothingToBill",
    "ReceiptNeeded",
    "ReceiptUsed",
    "RemittanceKeyTaken",
    "StaffIssue",
    "StaffSetTaxes",
    "TwoTaxes",
    "ask_for_invoice",
    "bill_to",
    "confirm_remittance",
    "draft_remittance",
    "issue_credit_note",
    "issue_invoices",
    "issue_requested",
    "reject_requested",
    "set_tax_rule",
    "set_withholding_rule",
    "tax_as",
    "withdraw_remittance",
]
