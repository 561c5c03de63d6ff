import django.contrib.postgres.fields
import django.db.models.deletion
import kpplatform.tenancy.constraints
import kpplatform.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ads', '0007_loads'),
        ('tenancy', '0003_one_anonymous_member'),
    ]

    operations = [
        migrations.AlterField(
            model_name='credit',
            name='key',
            field=models.CharField(max_length=200),
        ),
        migrations.AddField(
            model_name='flight',
            name='countries',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, help_text='Of viewers, as ISO 3166 has them.', size=None),
        ),
        migrations.AddField(
            model_name='flight',
            name='spent_today',
            field=models.BigIntegerField(default=0, help_text='… and what was billed on that day, in micros.'),
        ),
        migrations.AddField(
            model_name='flight',
            name='today',
            field=models.DateField(blank=True, help_text="The tenant's day on which it was billed last …", null=True),
        ),
        migrations.CreateModel(
            name='AdRulesChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.JSONField()),
                ('after', models.JSONField()),
                ('why', models.CharField(blank=True, max_length=200)),
                ('changed_at', models.DateTimeField()),
                ('by', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.member')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', '-id'], name='ad_rules_change_newest')],
                'constraints': [kpplatform.tenancy.constraints.AppendOnly(name='a_change_of_the_rules_for_ads_is_never_changed', updatable=()), models.UniqueConstraint(fields=('tenant', 'id'), name='ads_adruleschange_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='ads_adruleschange_isolated'), kpplatform.tenancy.constraints.SameTenant(field='by', name='ads_adruleschange_by_same_tenant')],
            },
        ),
        migrations.CreateModel(
            name='OfferDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(help_text='What was offered from its start to its end is summed up.')),
                ('offers', models.PositiveIntegerField()),
                ('views', models.PositiveIntegerField()),
                ('clicks', models.PositiveIntegerField()),
                ('held', models.PositiveIntegerField(help_text='What looked odd.')),
                ('billed', models.PositiveIntegerField()),
                ('spent', models.BigIntegerField(help_text='In micros.')),
                ('gone', models.PositiveIntegerField(default=0, help_text='Offers that were deleted since …')),
                ('gone_spent', models.BigIntegerField(default=0, help_text='… and what was billed of them, in micros.')),
                ('unseen_gone_at', models.DateTimeField(blank=True, help_text='When those nobody saw had gone …', null=True)),
                ('gone_at', models.DateTimeField(blank=True, help_text='… and all that may go.', null=True)),
                ('flight', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ads.flight')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', '-ends_at'], name='ad_offer_day_newest'), models.Index(condition=models.Q(('unseen_gone_at', None)), fields=['tenant', 'ends_at'], name='ad_offer_day_unseen'), models.Index(condition=models.Q(('gone_at', None)), fields=['tenant', 'ends_at'], name='ad_offer_day_kept')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'flight', 'day'), name='a_day_of_offers_is_summed_up_once'), models.CheckConstraint(condition=models.Q(('gone__lte', models.F('offers')), ('gone_spent__gte', 0)), name='no_more_offers_go_than_there_were'), models.UniqueConstraint(fields=('tenant', 'id'), name='ads_offerday_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='ads_offerday_isolated'), kpplatform.tenancy.constraints.SameTenant(field='flight', name='ads_offerday_flight_same_tenant')],
            },
        ),
        migrations.CreateModel(
            name='PlaceCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='Of the tenant.')),
                ('hour', models.PositiveSmallIntegerField(help_text="By the tenant's clock, 0 to 23.")),
                ('placement', models.CharField(max_length=20)),
                ('outcome', models.CharField(choices=[('filled', 'an ad stands there'), ('no_campaign', 'nothing is live'), ('budget', 'what is live has nothing left to spend now'), ('target', 'none of it is for such a place'), ('consent', 'it is for viewers of whom more may be known'), ('relevance', 'the viewer has no taste for what is left'), ('capped', 'the viewer has seen what is left as often as may be'), ('price', 'nobody bids the reserve'), ('once', 'everybody who competes stands on the page already'), ('tier', "the viewer's membership is without ads")], max_length=12)),
                ('shard', models.SmallIntegerField()),
                ('places', models.BigIntegerField()),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('tenant', 'day', 'hour', 'placement', 'outcome', 'shard'), name='a_share_of_places_is_one_row'), models.CheckConstraint(condition=models.Q(('places__gt', 0), ('shard__gte', 0)), name='places_are_counted_from_one'), models.UniqueConstraint(fields=('tenant', 'id'), name='ads_placecount_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='ads_placecount_isolated')],
            },
        ),
    ]
