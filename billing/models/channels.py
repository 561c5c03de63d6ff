"""Where creators earn elsewhere: their accounts at other platforms."""

from django.db import models

from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Channel(TenantOwned):
    """A creator's account at another platform. What is earned there is the creator's, and never the tenant's."""

    class Platform(models.TextChoices):
        DOUYIN = "douyin", "抖音 Douyin"
        KUAISHOU = "kuaishou", "快手 Kuaishou"
        BILIBILI = "bilibili", "哔哩哔哩 Bilibili"
        XIAOHONGSHU = "xiaohongshu", "小红书 Xiaohongshu"
        WECHAT = "wechat", "微信视频号 WeChat Channels"
        WEIBO = "weibo", "微博 Weibo"
        YOUTUBE = "youtube", "YouTube 油管"
        TIKTOK = "tiktok", "TikTok 国际版抖音"
        INSTAGRAM = "instagram", "Instagram 照片墙"
        OTHER = "other", "another platform"

    creator = TenantForeignKey(Creator)
    platform = models.CharField(max_length=20, choices=Platform.choices)
    name = models.CharField(max_length=50, help_text="What the creator is called there.")
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "creator", "platform", "name"], name="an_account_elsewhere_is_one_channel"
            ),
            AppendOnly(name="a_channel_stays_what_it_is"),
        ]

    def __str__(self) -> str:
        return f"{self.platform}: {self.name}"
