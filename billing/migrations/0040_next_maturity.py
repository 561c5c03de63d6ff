from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0039_personal_coupons"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                condition=models.Q(("matures_at__isnull", False)),
                fields=["tenant", "creator", "matures_at"],
                name="order_line_matures_for",
            ),
        ),
    ]
