"""Word lists of the rules, in one place so that a wrong question is mended by a word.

English; a corpus in another language wants lists of its own, or the teacher.
"""


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as prose."""
    return frozenset(text.split())


CONNECTIVES = words(
    """therefore thus hence consequently however also too instead likewise meanwhile nevertheless
    otherwise so then simply accordingly moreover furthermore besides nonetheless still"""
)
"""Adverbs that join a sentence to the one before it; questions do without them."""
CUTS_AFTER_COMMA = words(
    """which who whose so because since as while whereas although though but and or yet if when
    unless until where not then nor plus provided including mostly usually often typically"""
)
SUBORDINATE = words(
    """if when where because as since although though while unless until once whether wherever
    whenever whatever however what why how who which"""
)
IMPERATIVES = words(
    """add agree allow arrange ask avoid bring buy call charge check choose clean close compare
    connect consider count cover divide do download drive ensure expect find fit fix follow
    get give hold install keep leave lift limit list look make mark measure move multiply
    note open park pay photograph pick place plan plug press print protect prove provide
    publish pull push put read record refuse release remove replace report reset restart
    ring run save schedule select send set share show sort start state stop store subtract
    support switch take tell test treat try turn uncoil unlock unplug use wait warm watch
    wear write coil"""
)
APPROXIMATE = words(
    """about around roughly approximately nearly almost only just under over some typically usually
    often perhaps well below above exactly normally another"""
)
ENDS_IN_EED = words("need feed speed exceed proceed succeed bleed heed")
STRANDED = words("to at by")
ARITHMETIC = frozenset("×÷=+−*/")
STOPS = words(", ; : ( ) or and = × ÷ but plus")
"""Words and marks at which what follows a quantity ends."""
VAGUE_VERBS = words(
    """tell tells show shows have has had say says make makes do does get gets give gives take
    takes run runs see sees know knows let lets reach reaches want wants find finds become
    becomes keep keeps go goes feel feels stand stands mean means equal equals call calls"""
)
VAGUE = words("no any much more less little nothing something so every all")
PASSIVE = words("by for with from to as on into")
PRONOUNS = words("it its they them their he she his her him itself themselves")
POINTING = words(
    """this these those such latter former here above below following aforementioned we our us i my
    me ones another same thereby therefore hence thus thereafter whichever preceding sample
    others neither respectively there either instead remaining both"""
)
EMPTY_HEADS = words(
    """figure figures entry value values note notes comment comments remark remarks result results
    arithmetic example calculation reading meaning working source reference home workplace site"""
)
UNITS = words("kWh kW A V W km p £ €")
PARTICIPLES = words("been done given made held taken kept built shown known drawn")
MODALS = words("can could may might must shall should will would")
BE = words("is are was were")
VERBS = words(
    """accepts adds allows applies asks blocks breaks carries charges checks closes converts costs
    counts covers cuts decides delivers depends describes draws drops encodes ends exceeds
    falls feeds fills folds gains gives grows handles heats helps holds joins keeps lasts leaves
    lets limits links lists loses lowers makes matters means measures meets moves names
    needs obliges offers opens operates pauses pays permits places plugs powers presses
    prevents pushes releases bills produces protects provides pulls raises reaches reads
    reduces refuses regulates relies remains repeats reports requires resets returns rises
    rotates runs saves sees sends sets shares shows recognises authorises signals slows
    speeds spends stands starts stays stops stores suits supplies switches takes tells
    tests ages hides swings shortens stores shares reports flows leaks drives reveals charges
    changes installs transfers trips turns uses varies waits warms wastes wears works yields"""
)
LISTED = words(
    """rules signs habits steps things marks tips ways myths options questions causes reasons types
    kinds profiles modules documents requirements limits aids checks points methods benefits
    features families pieces precautions mistakes advantages disadvantages symptoms duties
    rights exceptions conditions tools settings parts stages phases levels categories
    examples costs fees risks filters words terms practicalities"""
)
"""Plurals that head a list: "Warning signs", "Everyday rules"."""
EMPTY_SUBJECTS = words(
    """example examples interval form explanation explanations question questions mistake mistakes
    exception exceptions figure figures number numbers step steps habit habits weakness weaknesses
    way ways sort sorts case cases thing things catch purpose goal answer trap cure trick signs
    costs triggers features use"""
)
"""What is said of them needs the sentence before."""
EMPTY_VERBS = words("deserve deserves widen widens")
NO_SUBJECTS = words("no nobody nothing none neither few little half anything something")
SOMEBODY = words("somebody someone")
UNIT_WORDS = words(
    """kWh kW W A V p km mile miles hour hours minute minutes second seconds day days year
    years per cent pence amps ampere volts"""
)
"""Words that say how a number counts; they name nothing."""
SHELLS = words(
    """thing things way ways habit habits case cases situation situations reason reasons
    point points idea ideas explanation explanations difference differences question
    questions answer answers problem problems rule rules step steps part parts kind kinds
    sort type matter result results cost effect effects weakness weaknesses advantage
    advantages purpose purposes figure figures fact facts choice choices option options
    detail details piece pieces place places use uses method methods remedy mistake mistakes
    exception exceptions happen need make take help work route routes example examples
    trigger triggers gain gains drop veteran good better best sound usual common ordinary
    certain various several typical simple arrangement arrangements source sources condition
    conditions goal goals task tasks job"""
)
"""Nouns and verbs that name nothing by themselves: what they stand for comes before or after."""
_DESCRIBED = """more less, higher lower, faster slower, longer shorter, bigger smaller,
    larger smaller, better worse, easier harder, warmer colder, hotter cooler, heavier lighter,
    stronger weaker, thicker thinner, newer older, earlier later, compulsory optional,
    mandatory voluntary, safe dangerous, cheap expensive, weak strong, slow fast"""
_DONE = """raise lower, increase reduce, gain lose, allow forbid, include exclude,
    lengthen shorten, strengthen weaken, improve worsen"""


def _both_ways(pairs: str) -> dict[str, str]:
    one = dict(pair.split() for pair in pairs.split(","))
    return {other: word for word, other in one.items()} | one


OPPOSITES = _both_ways(_DESCRIBED)
"""Comparatives and adjectives with their opposites."""
OPPOSED_VERBS = _both_ways(_DONE)
"""Infinitives with their opposites."""
_SAME = """car vehicle, cars vehicles, driver motorist, drivers motorists, usually normally,
    often frequently, commonly usually, need require, needs requires, require need, requires needs,
    allow permit, allows permits, permitted allowed, buy purchase, begin start, begins starts,
    choose select, large big, show display, shows displays, quickly rapidly, expensive costly,
    happen occur, roughly approximately, almost nearly, nearly almost, whole entire, receive get,
    receives gets, provide give, provides gives, prevent stop, prevents stops, firms companies,
    staff employees, compulsory mandatory, obligatory mandatory, forbidden prohibited,
    sufficient adequate, typical usual, immediately at-once, frequently often, regularly often,
    simultaneously together, approximately roughly, purchase buy, consumes uses, consume use,
    contains holds, contain hold, obtain get, additional further, permits allows, permit allow"""
SYNONYMS = dict(pair.split() for pair in _SAME.split(","))
"""Words that can be exchanged wherever they stand."""
