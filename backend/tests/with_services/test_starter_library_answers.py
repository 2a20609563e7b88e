"""A salesperson's own words lead to the entry of the starter library that answers them, by words alone and without any model."""

from app.i18n.language import Language
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.starter_library import load_starter_library
from app.storage.database import Database
from tests.with_services.knowledge_builders import MEMBER, TOKENIZER

LOOKED_AT = 5  # as many as the answer is given

QUESTIONS = {
    Language.JAPANESE: {
        "お客様に高いと言われました。どう返せばいい？": "objection/price-too-high-first-response",
        "今は要らないと断られた": "objection/not-needed-now",
        "検討しますと言われたまま止まっています": "objection/we-will-consider-it",
        "他社を使っているので必要ないと言われた": "objection/already-using-competitor",
        "予算がないと言われたら何を聞く？": "objection/no-budget",
        "担当ではないと言われたときの対応": "objection/not-in-charge",
        "前に導入して失敗したと言われた": "objection/failed-before",
        "社内で揉めているそうで進まない": "objection/internal-dispute",
        "忙しいと言われてアポが取れない": "objection/too-busy-now",
        "Excelで十分と言われた": "objection/excel-is-enough",
        "セキュリティが心配だと言われた": "objection/security-worry",
        "稟議が差し戻された": "stakeholder/ringi-sent-back",
        "担当者が異動してしまった": "stakeholder/contact-was-transferred",
        "情シスに反対されないためには": "stakeholder/it-department-first",
        "見積書を送るメールの文面": "mail/send-a-quote",
        "値引きを断るメールを書きたい": "mail/decline-a-discount",
        "担当交代の挨拶メール": "mail/change-of-account-manager",
        "入金がないお客様への催促メール": "mail/payment-reminder",
        "間違えやすい敬語を教えて": "mail/keigo-mistakes",
        "SPINとMEDDICCの使い分け": "methodology/which-method-when",
        "納期を短くしてほしいと言われた": "negotiation/shorter-delivery-date",
        "追加作業を無償で頼まれた": "negotiation/extra-work-for-free",
        "契約書の法務確認が長い": "closing/legal-review-drags-on",
        "クレームの電話を受けたらまず何をする": "renewal/complaint-first-response",
        "売上の見込みの確度の付け方": "time_management/honest-forecast",
        "ミスをして落ち込んでいます": "mindset/after-a-mistake",
        "社長と30分面談できることになった。何を話す？": "stakeholder/executive-thirty-minutes",
        "展示会で名刺交換した人へのメール": "mail/after-an-exhibition",
        "トライアルから本契約に進めたい": "closing/pilot-to-contract",
        "材料費が上がったので値上げしたい": "pricing/pass-on-rising-costs",
        "効果が見えないと言われた": "objection/effect-unclear",
        "デモの見せ方": "proposal/demo-that-answers-a-question",
        "既存のお客様から別の部署を紹介してもらいたい": "referral/introduce-another-department",
        "解約したいと連絡が来た": "renewal/cancellation-request",
        "失注した理由を聞きたい": "lost_deal/ask-the-real-reason",
        "受付で断られて担当者につないでもらえない": "first_call/pass-the-reception",
    },
    Language.ENGLISH: {
        "they say it is too expensive": "objection/price-too-high-first-response",
        "customer says we can build it ourselves": "objection/we-can-build-it",
        "deal stuck in IT security review": "objection/security-review",
        "champion left the company": "stakeholder/contact-leaves",
        "how does ringi work in Japan": "stakeholder/ringi-for-foreign-sellers",
        "write a cold email": "mail/cold-email",
        "what does a 10% discount cost us": "pricing/discount-math",
        "customer wants to cancel the contract": "renewal/cancellation-notice",
        "I am behind my quota": "mindset/behind-target",
        "difference between SPIN, BANT and MEDDICC": "methodology/which-method-when",
        "should we answer this RFP": "proposal/rfp-response",
        "leaving a voicemail": "first_call/voicemail",
    },
    Language.CHINESE: {
        "客户说太贵了怎么办": "objection/price-too-high-first-response",
        "客户要请示领导": "objection/ask-the-boss",
        "客户不付款怎么催": "mail/payment-collection",
        "对接人离职了": "stakeholder/contact-changed-job",
        "要不要投标": "proposal/bid-or-not",
        "微信加了客户怎么聊": "discovery/wechat-first-chat",
        "被客户拒绝心情不好": "mindset/after-being-rejected",
        "客户不断加需求": "negotiation/scope-additions",
    },
}


async def test_the_words_of_a_salesperson_lead_to_the_entry(database: Database) -> None:
    await load_starter_library(Library(database, TOKENIZER), team_id=MEMBER.team_id)
    search = KnowledgeSearch(database, TOKENIZER)
    missed = []
    for language, answers in QUESTIONS.items():
        for question, path in answers.items():
            passages = await search.search(question, actor=MEMBER, limit=LOOKED_AT, language=language)
            async with database.reading() as session:
                slugs = [
                    await session.fetch_value("select slug from knowledge_entries where id = $1", passage.entry_id)
                    for passage in passages
                ]
            if f"{language}/{path}" not in slugs:
                missed.append((question, slugs))
    await search.close()
    assert missed == []
