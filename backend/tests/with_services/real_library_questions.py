"""What a small company has written down beside the starter library, and what its people ask. Labelled by hand.

``FOR_TUNING`` may be looked at when settings are chosen; ``HELD_OUT`` tells whether they hold for questions nobody tuned for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.i18n.language import Language
from app.knowledge.entry import Category, Draft
from tests.with_services.knowledge_builders import draft


@dataclass(frozen=True)
class Asked:
    """A question and the entries that answer it, by slug; none where the library has no answer."""

    text: str
    answers: tuple[str, ...] = ()


def document(name: str, language: Language, category: Category, sections: Mapping[str, tuple[str, str]]) -> list[Draft]:
    """As an uploaded file becomes entries: one for each question in it."""
    return [
        draft(f"upload/{name}/{key}", title, body, language=language, category=category, source=name)
        for key, (title, body) in sections.items()
    ]


PRICES = document("prices", Language.JAPANESE, Category.PRICING, {
    "yearly": ("年間契約にすると割引はありますか？", "年間契約を一括でお支払いいただくと、月額料金から15%を割り引きます。"),
    "refund": ("途中で解約したら返金されますか？", "年払いの場合は、残りの月数分を返金します。月払いの返金はありません。"),
    "setup": ("初期費用は値引きできますか？", "初期費用の値引きはできません。導入支援の日数を増やすことで対応します。"),
    "minimum": ("最低契約数はいくつですか？", "5ライセンスからご契約いただけます。"),
})  # fmt: skip
SUPPORT = document("support", Language.JAPANESE, Category.PRODUCT, {
    "hours": ("サポート窓口の受付時間", "平日9時から18時まで、電話とチャットで受け付けます。土日祝日はメールのみです。"),
    "outage": ("システム障害が起きたときの連絡", "障害を検知してから30分以内に、登録された管理者へメールでお知らせします。"),
    "backup": ("データのバックアップの頻度", "毎日深夜に自動で取得し、35日分を保管します。"),
    "training": ("導入時の操作研修", "オンライン研修を2回まで無料で行います。訪問研修は1回8万円です。"),
})  # fmt: skip
SECURITY = document("security-facts", Language.ENGLISH, Category.PRODUCT, {
    "location": ("Where is customer data stored?", "All customer data stays in two data centres in Tokyo and Osaka."),
    "login": ("Do you support single sign-on?", "Yes: SAML 2.0 with Entra ID, Okta and Google Workspace, on the Pro plan."),
    "deletion": ("What happens to our data when the contract ends?", "It can be exported for 30 days and is then erased."),
    "audit": ("Which certifications do you hold?", "ISO 27001 and SOC 2 Type II, renewed each year in March."),
})  # fmt: skip
RULES = document("sales-rules", Language.JAPANESE, Category.COMPANY, {
    "approval": ("10%を超える値引きの承認", "10%を超える値引きには営業部長の承認が必要です。20%超は社長決裁です。"),
    "seal": ("契約書の押印の手順", "法務の確認後、総務に紙の契約書を提出します。電子契約なら即日で締結できます。"),
    "demo": ("デモ用アカウントの貸し出し", "デモ用アカウントは14日間貸し出せます。営業企画に申請してください。"),
    "partner": ("代理店に支払う紹介手数料", "初年度の契約金額の12%を、入金の翌月末に支払います。"),
})  # fmt: skip
COMPANY: Sequence[Draft] = (*PRICES, *SUPPORT, *SECURITY, *RULES)

YEARLY, REFUND, SETUP, MINIMUM = (entry.slug for entry in PRICES)
HOURS, OUTAGE, BACKUP, TRAINING = (entry.slug for entry in SUPPORT)
LOCATION, LOGIN, DELETION, AUDIT = (entry.slug for entry in SECURITY)
APPROVAL, SEAL, DEMO, PARTNER = (entry.slug for entry in RULES)

FOR_TUNING: Sequence[Asked] = (
    # The same language, other words
    Asked("解約したときのお金の扱いは？", (REFUND,)),
    Asked("一年分まとめて払うと安くなりますか", (YEARLY,)),
    Asked("何人から使えますか？", (MINIMUM,)),
    Asked("電話がつながるのは何時まで？", (HOURS,)),
    Asked("使い方を教えてもらう講習はありますか", (TRAINING,)),
    Asked("サーバーが落ちたら知らせてもらえますか", (OUTAGE,)),
    Asked("部長に値引きの許可をもらう必要があるのはいくらから？", (APPROVAL,)),
    Asked("お試し用のIDを貸してもらえる期間", (DEMO,)),
    Asked("値引きを求められたら", ("ja/pricing/asked-for-discount", "ja/mail/decline-a-discount", APPROVAL)),
    Asked("Can users log in with our Okta accounts?", (LOGIN,)),
    Asked("Will you wipe our files after we leave?", (DELETION,)),
    # Across languages
    Asked("Can customers get their money back if they cancel early?", (REFUND,)),
    Asked("Is there a discount if we sign for a year?", (YEARLY,)),
    Asked("What is the minimum number of licenses?", (MINIMUM,)),
    Asked("When is the support desk open?", (HOURS,)),
    Asked("How often are backups made?", (BACKUP,)),
    Asked("Who has to approve a discount above 10 percent?", (APPROVAL,)),
    Asked("How much commission do resellers get?", (PARTNER,)),
    Asked("データはどこの国に保管されますか", (LOCATION,)),
    Asked("シングルサインオンに対応していますか", (LOGIN,)),
    Asked("中途解约可以退款吗？", (REFUND,)),
    Asked("签一年合同有优惠吗？", (YEARLY,)),
    Asked("客户的数据存放在哪里？", (LOCATION,)),
    # The starter library stays of use
    Asked("お客様に高いと言われました", ("ja/objection/price-too-high-first-response",)),
    Asked("they say it is too expensive", ("en/objection/price-too-high-first-response",)),
    Asked("稟議が差し戻された", ("ja/stakeholder/ringi-sent-back",)),
    Asked("客户要请示领导", ("zh/objection/ask-the-boss",)),
    Asked("断られ続けて落ち込んでいます", ("ja/mindset/after-a-rejection", "ja/mindset/fear-of-cold-calls")),
    # No answer here
    Asked("明日の東京の天気を教えて"),
    Asked("有給休暇は何日もらえますか"),
    Asked("プリンターの紙詰まりの直し方"),
    Asked("駐車場の料金はいくらですか"),
    Asked("おいしいラーメン屋はどこ？"),
    Asked("How do I reset my Windows password?"),
    Asked("Who won the football world cup in 2018?"),
    Asked("Which floor is the canteen on?"),
    Asked("怎么申请年假？"),
    Asked("公司食堂几点开门？"),
)

HELD_OUT: Sequence[Asked] = (
    Asked("やめたら残りの料金は戻ってきますか", (REFUND,)),
    Asked("一括で前払いした場合の特典", (YEARLY,)),
    Asked("少人数でも申し込めますか？", (MINIMUM,)),
    Asked("土曜日に問い合わせてもいいですか", (HOURS,)),
    Asked("消えたデータは何日前まで戻せますか", (BACKUP,)),
    Asked("初期費用をまけてほしいと言われた", (SETUP,)),
    Asked("ハンコはどこに頼めばいい？", (SEAL,)),
    Asked("販売パートナーへのマージンは何%ですか", (PARTNER,)),
    Asked("20%引きは誰が決裁しますか", (APPROVAL,)),
    Asked("Have you been audited for information security?", (AUDIT,)),
    Asked("In which country are our records kept?", (LOCATION,)),
    Asked("Do we get a refund when we stop halfway through the contract?", (REFUND,)),
    Asked("Can the setup fee be reduced?", (SETUP,)),
    Asked("How many seats do we have to buy at least?", (MINIMUM,)),
    Asked("How will we be told about an outage?", (OUTAGE,)),
    Asked("Is training included?", (TRAINING,)),
    Asked("How long can a prospect keep a demo account?", (DEMO,)),
    Asked("How do I get a contract stamped?", (SEAL,)),
    Asked("ISO 27001は取得していますか", (AUDIT,)),
    Asked("解約後のデータはどうなりますか", (DELETION,)),
    Asked("最少要买多少个许可？", (MINIMUM,)),
    Asked("客服的工作时间是几点到几点？", (HOURS,)),
    Asked("合同结束后我们的数据会怎么处理？", (DELETION,)),
    Asked("担当者が異動してしまった", ("ja/stakeholder/contact-was-transferred",)),
    Asked("customer wants to cancel the contract", ("en/renewal/cancellation-notice",)),
    Asked("既存のお客様から紹介をもらうには", (
        "ja/referral/how-to-ask-for-a-referral", "ja/referral/introduce-another-department",
    )),
    Asked("客户说太贵了怎么办", ("zh/objection/price-too-high-first-response",)),
    Asked("write a cold email", ("en/mail/cold-email",)),
    Asked("育児休業はいつまで取れますか"),
    Asked("社員旅行の行き先を知りたい"),
    Asked("健康診断の予約のしかた"),
    Asked("カレーの作り方を教えて"),
    Asked("カードキーを失くしました"),
    Asked("What is the capital of Australia?"),
    Asked("Can you book me a flight to Osaka?"),
    Asked("How do I claim my taxi receipts?"),
    Asked("北京今天天气怎么样？"),
    Asked("电脑开不了机怎么办？"),
)  # fmt: skip
