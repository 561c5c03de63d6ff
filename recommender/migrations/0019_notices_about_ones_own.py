import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommender', '0018_notices'),
        ('tenancy', '0003_one_anonymous_member'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='about',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of their own: ruling:1, week:2026-04-27 …', max_length=60),
        ),
        migrations.AddField(
            model_name='notice',
            name='link',
            field=models.CharField(blank=True, db_default='', default='', help_text="A page of the site, unless it is a campaign's.", max_length=200),
        ),
        migrations.AddField(
            model_name='notice',
            name='text_en',
            field=models.TextField(blank=True, db_default='', default='', help_text="Unless it is a campaign's.", max_length=2000),
        ),
        migrations.AddField(
            model_name='notice',
            name='text_zh',
            field=models.TextField(blank=True, db_default='', default='', help_text="Unless it is a campaign's.", max_length=2000),
        ),
        migrations.AlterField(
            model_name='notice',
            name='campaign',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='recommender.campaign'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('about', ''), _negated=True), fields=('tenant', 'viewer', 'about'), name='a_member_is_told_about_a_thing_once'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('about', ''), ('campaign__isnull', False)), models.Q(('campaign', None), models.Q(('about', ''), _negated=True)), _connector='OR'), name='a_notice_is_a_campaigns_or_about_something'),
        ),
    ]
