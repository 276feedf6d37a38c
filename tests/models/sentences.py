"""One sentence in several languages, written for these tests."""

# ruff: noqa: RUF001 (Cyrillic and Greek letters are meant)

SENTENCES = {
    "en": "The river had risen overnight, and the lower fields were under water by the time we woke.",
    "de": "Über Nacht war der Fluss gestiegen, und als wir aufwachten, standen die unteren Felder unter Wasser.",
    "fr": "La rivière était montée pendant la nuit et les champs du bas étaient déjà sous l'eau à notre réveil.",
    "es": "El río había crecido durante la noche y los campos de abajo ya estaban inundados cuando despertamos.",
    "ru": "За ночь река поднялась, и когда мы проснулись, нижние поля уже стояли под водой.",
    "el": "Το ποτάμι είχε φουσκώσει τη νύχτα και τα κάτω χωράφια ήταν πλημμυρισμένα όταν ξυπνήσαμε.",
    "ja": "夜のうちに川の水位が上がり、目が覚めたときには下の畑はもう水に浸かっていた。",
    "zh": "夜里河水上涨,我们醒来的时候,低处的田地已经被水淹没了。",
    "ko": "밤사이 강물이 불어나서 우리가 일어났을 때는 아래쪽 밭이 이미 물에 잠겨 있었다.",
    "ar": "ارتفع النهر أثناء الليل، وعندما استيقظنا كانت الحقول السفلى مغمورة بالماء.",
    "hi": "रात में नदी का पानी बढ़ गया था और जब हम जागे तो नीचे के खेत पानी में डूबे हुए थे।",
    "th": "แม่น้ำเอ่อขึ้นในตอนกลางคืน และเมื่อเราตื่นขึ้นมาทุ่งนาด้านล่างก็จมอยู่ใต้น้ำแล้ว",
    "fi": "Joki oli noussut yön aikana, ja kun heräsimme, alemmat pellot olivat jo veden alla.",
}
