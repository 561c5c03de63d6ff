"""What staff ask of workers in the web admin."""

from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from kpplatform.errors import Refused
from recommender import operations
from recommender.ml.spaces import SAMPLERS, SPACES


class SearchForm(forms.Form):
    """A search of settings: of which model, and what it may cost."""

    model = forms.ChoiceField(
        label=_("model"), choices=[(name, name) for name in sorted(SPACES)], widget=UnfoldAdminSelectWidget
    )
    minutes = forms.FloatField(label=_("minutes"), initial=10.0, widget=UnfoldAdminTextInputWidget)
    trials = forms.IntegerField(label=_("trials at most"), initial=100, widget=UnfoldAdminTextInputWidget)
    sampler = forms.ChoiceField(
        label=_("sampler"), choices=[(name, name) for name in SAMPLERS], widget=UnfoldAdminSelectWidget
    )
    seed = forms.IntegerField(label=_("seed"), initial=0, widget=UnfoldAdminTextInputWidget)

    def asked(self, *, at: datetime) -> bool:
        """Ask for it; False when it is refused, and the form says why."""
        try:
            operations.ask_for_search(**self.cleaned_data, at=at)
        except Refused as refused:
            self.add_error(None, forms.ValidationError(refused.detail, code=refused.code))
        return not self.errors
