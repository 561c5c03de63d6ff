import django.contrib.postgres.fields
import django.db.models.deletion
import kpplatform.tenancy.constraints
import kpplatform.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_counted_by_day'),
        ('tenancy', '0003_one_anonymous_member'),
    ]

    operations = [
        migrations.AddField(
            model_name='item',
            name='captions',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, help_text='Their languages; none: not told.', null=True, size=None),
        ),
        migrations.AddField(
            model_name='item',
            name='height',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Of a video, in pixels; none: not told.', null=True),
        ),
        migrations.AddField(
            model_name='item',
            name='loudness',
            field=models.FloatField(blank=True, help_text='Of a video as a whole, in LUFS (ITU-R BS.1770); none: not told.', null=True),
        ),
        migrations.AddField(
            model_name='item',
            name='width',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Of a video, in pixels; none: not told.', null=True),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('height', None), ('width', None)), models.Q(('height__gt', 0), ('height__lte', 16384), ('width__gt', 0), ('width__lte', 16384)), _connector='OR'), name='a_size_has_two_sides'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('loudness', None), models.Q(('loudness__gte', -70.0), ('loudness__lte', 6.0)), _connector='OR'), name='a_loudness_can_be_heard'),
        ),
        migrations.CreateModel(
            name='Ruling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('spam', 'Spam'), ('misleading', 'Misleading'), ('harmful', 'Harmful'), ('stolen', 'Stolen'), ('copy', 'says nearly the same as something older'), ('other', 'Other')], max_length=20)),
                ('effect', models.CharField(choices=[('withdrawn', 'shown to nobody'), ('last', 'last on a page beside what it says the same as')], max_length=20)),
                ('why', models.TextField(blank=True, help_text='In the words of who ruled.', max_length=1000)),
                ('ruled_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('told_at', models.DateTimeField(blank=True, help_text='When the creator was sent a notice.', null=True)),
                ('by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='None: found by comparing all items.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.member')),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.item')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'item', '-id'], name='ruling_of_item'), models.Index(condition=models.Q(('told_at', None)), fields=['tenant', 'id'], name='ruling_untold')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('tenant', 'item', 'effect'), name='an_effect_is_ruled_once'), models.UniqueConstraint(fields=('tenant', 'id'), name='catalog_ruling_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='catalog_ruling_isolated'), kpplatform.tenancy.constraints.SameTenant(field='item', name='catalog_ruling_item_same_tenant'), kpplatform.tenancy.constraints.SameTenant(field='by', name='catalog_ruling_by_same_tenant')],
            },
        ),
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(max_length=2000)),
                ('appealed_at', models.DateTimeField()),
                ('is_upheld', models.BooleanField(blank=True, help_text='Then the ruling was lifted; none: not answered.', null=True)),
                ('answer', models.TextField(blank=True, max_length=1000)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('told_at', models.DateTimeField(blank=True, help_text='When the creator was sent the answer.', null=True)),
                ('answered_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.member')),
                ('ruling', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='appeals', to='catalog.ruling')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, default=kpplatform.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.tenant')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('answered_at__isnull', False), ('told_at', None)), fields=['tenant', 'id'], name='appeal_untold')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'ruling'), name='a_ruling_is_appealed_once'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('answered_by', None), ('is_upheld', None)), models.Q(('answered_at__gte', models.F('appealed_at')), ('answered_by__isnull', False), ('is_upheld__isnull', False)), _connector='OR'), name='an_answered_appeal_says_by_whom'), models.UniqueConstraint(fields=('tenant', 'id'), name='catalog_appeal_tenant_id'), kpplatform.tenancy.constraints.TenantPolicy(name='catalog_appeal_isolated'), kpplatform.tenancy.constraints.SameTenant(field='ruling', name='catalog_appeal_ruling_same_tenant'), kpplatform.tenancy.constraints.SameTenant(field='answered_by', name='catalog_appeal_answered_by_same_tenant')],
            },
        ),
    ]
