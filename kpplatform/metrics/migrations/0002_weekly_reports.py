import django.db.models.deletion
import kpplatform.tenancy.constraints
import kpplatform.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('creators', '0002_hidden_creators'),
        ('metrics', '0001_figures'),
        ('tenancy', '0003_one_anonymous_member'),
    ]

    operations = [
        migrations.CreateModel(
            name='WeeklyReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(help_text="Its Monday, by the tenant's clock.")),
                ('currency', models.CharField(help_text='Of the money in it, in minor units.', max_length=3)),
                ('figures', models.JSONField(help_text='The sum of each metric.')),
                ('before', models.JSONField(help_text='The same of the week before.')),
                ('actions', models.JSONField(help_text='What it asks for: code, measured.')),
                ('followed', models.JSONField(help_text='What the week before asked for: code, before, after, is_better.')),
                ('made_at', models.DateTimeField()),
                ('creator', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text="None: the tenant's.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='creators.creator')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'creator', '-id'], name='report_of_creator')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'week', 'creator'), name='a_week_is_reported_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('week__iso_week_day', 1)), name='a_week_begins_on_monday'), kpplatform.tenancy.constraints.AppendOnly(name='a_weekly_report_never_changes', updatable=()), models.UniqueConstraint(fields=('tenant', 'id'), name='metrics_weeklyreport_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='metrics_weeklyreport_isolated'), kpplatform.tenancy.constraints.SameTenant(field='creator', name='metrics_weeklyreport_creator_same_tenant')],
            },
        ),
    ]
