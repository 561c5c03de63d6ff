from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommender', '0014_impression_when'),
    ]

    operations = [
        migrations.AlterField(
            model_name='trainingrun',
            name='kind',
            field=models.CharField(choices=[('daily', 'Daily'), ('full', 'Full'), ('search', 'Search'), ('evaluation', 'Evaluation')], max_length=10),
        ),
        migrations.AlterField(
            model_name='trainingrun',
            name='plan',
            field=models.JSONField(default=dict, help_text='What is tried, with which budget, and what is not and why.'),
        ),
        migrations.AlterField(
            model_name='trainingrun',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='running', max_length=10),
        ),
    ]
