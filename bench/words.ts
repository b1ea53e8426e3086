// Common English words, the most frequent first: what the posts of the benchmarks are made of.
export const words: readonly string[] = `
the of and to a in is that it was for on you with as be at this have are not or by but from they we his an what all
were when there can her more will one if has out up so about would them no who time do just like him she people into
my some could than now other then its only over think also back after use two how our work first well way even new
want because any these give day most us good know year see make come look get go say take made your me did many
before must through years where much down should very long each still such here between never own while last might
great same little world another life being right old both place again found under part against since water small
large every start hand high keep night head side left house end city always away number men going few thing public
state home point without school country once often next around story run need land different move try kind picture
change off play spell air animal page letter mother answer study learn plant cover food sun four eye thought let
half really almost open seem together white children begin got walk example ease paper group music those mark until
mile river car feet care second book carry took science eat room friend began idea fish mountain stop base hear
horse cut sure watch color face wood main enough plain girl usual young ready above ever red list though feel talk
bird soon body dog family direct pose leave song measure door product black short numeral class wind question happen
complete ship area order rock fire south problem piece told knew pass top whole king space heard best hour better
true during hundred five remember step early hold west ground interest reach fast sing listen six table travel less
morning ten simple several vowel toward war lay pattern slow center love person money serve appear road map rain
rule govern pull cold notice voice fall power town fine certain fly unit lead cry dark machine note wait plan figure
star box noun field rest correct able pound done beauty drive stood contain front teach week final gave green quick
develop ocean warm free minute strong special mind behind clear tail produce fact street inch multiply nothing
course stay wheel full force blue object decide surface deep moon island foot system busy test record boat common
gold possible plane stead dry wonder laugh thousand ago ran check game shape equate hot miss brought heat snow tire
bring yes distant fill east paint language among grand ball yet wave drop heart present heavy dance engine position
arm wide sail material size vary settle speak weight general ice matter circle pair include divide syllable felt
perhaps pick sudden count square reason length represent art subject region energy hunt probable bed brother egg
ride cell believe fraction forest sit race window store summer train sleep prove lone leg exercise wall catch mount
wish sky board joy winter sat written wild instrument kept glass grass cow job edge sign visit past soft fun bright
gas weather month million bear finish happy hope flower clothe strange gone jump baby eight village meet root buy
raise solve metal whether push seven paragraph third shall held hair describe cook floor either result burn hill
safe cat century consider type law bit coast copy phrase silent tall sand soil roll temperature finger industry
value fight lie beat excite natural view sense ear else quite broke case middle kill son lake moment scale loud
spring observe child straight consonant nation dictionary milk speed method organ pay age section dress cloud
surprise quiet stone tiny climb cool design poor lot experiment bottom key iron single stick flat twenty skin smile
crease hole trade melody trip office receive row mouth exact symbol die least trouble shout except wrote seed tone
join suggest clean break lady yard rise bad blow oil blood touch grew cent mix team wire cost lost brown wear garden
equal sent choose fell fit flow fair bank collect save control decimal gentle woman captain practice separate
difficult doctor please protect noon whose locate ring character insect caught period indicate radio spoke atom
human history effect electric expect crop modern element hit student corner party supply bone rail imagine provide
agree thus capital chair danger fruit rich thick soldier process operate guess necessary sharp wing create neighbor
wash bat rather crowd corn compare poem string bell depend meat rub tube famous dollar stream fear sight thin
triangle planet hurry chief colony clock mine tie enter major fresh search send yellow gun allow print dead spot
desert suit current lift rose continue block chart hat sell success company subtract event particular deal swim term
opposite wife shoe shoulder spread arrange camp invent cotton born determine quart nine truck noise level chance
gather shop stretch throw shine property column molecule select wrong gray repeat require broad prepare salt nose
plural anger claim continent oxygen sugar death pretty skill women season solution magnet silver thank branch match
suffix especially fig afraid huge sister steel discuss forward similar guide experience score apple bought led pitch
coat mass card band rope slip win dream evening condition feed tool total basic smell valley nor double seat arrive
master track parent shore division sheet substance favor connect post spend chord fat glad original share station
dad bread charge proper bar offer segment slave duck instant market degree populate chick dear enemy reply drink
occur support speech nature range steam motion path liquid log meant quotient teeth shell neck afternoon allotment
antenna apricot archive argument attic autumn bakery balcony bandwidth basil battery beacon bicycle birch biscuit
blanket blizzard borrow bridge bucket builder cabin cable calendar candle canvas carpet carrot cedar cellar chalk
cherry chimney cider circuit clay cliff clover coffee collective commons compass compost concert cooker copper
council courage courtyard cricket curtain cyclist dairy daughter daylight delivery dialect dinner dispatch ditch
donkey dough drawer drizzle driver dusk echo editor elbow election emigrant envelope errand estuary fabric factory
fairness feather fence ferry festival fiddle firmware flashlight flour fog folder footpath forecast fountain fridge
frost funeral furnace gallery garage garlic gasket gate gateway ginger glacier goat gossip gravel greenhouse grocer
guitar hammer hammock handle harbour harvest hazel hedge helmet herb hinge holiday honey hospital housing humid hut
jacket jam journal jury kettle kitchen kiosk ladder lamp lantern laundry lavender leaflet lemon lens lentil
librarian lighthouse linen lodge lorry luggage lunch magazine mailbox mango maple marsh mason meadow meeting memory
merchant mesh midnight mint mirror mistake moss motor mud museum mushroom mustard napkin needle neighbourhood nephew
network newspaper niece notebook nurse oak oats olive onion orchard oven packet paddle pancake parcel parish parsley
pasture patience pavement peach pear pebble pedal pencil pepper permit petition phone pigeon pillow pine plaster
platform plum pocket pond porch postcard potato pottery pressure printer promise puddle pump pumpkin puzzle quarry
queue quilt rabbit radish raft railway rainbow raspberry receipt recipe reed refuge relay rent repair reservoir
rhythm ribbon roof router rumour rust saddle sandal sandwich sapling saucer sawdust scarf schedule scissors screw
seaside shawl shed shelf shelter shovel signal sink sketch slope soap solder solar soup spade sparrow spice spinach
spoon squirrel stable staircase stamp stool storm stove strawberry strike stubborn suitcase sunset swallow sweater
switch tailor tea telescope tenant tent terrace theatre thread thunder thyme ticket tide timber toast tomato torch
towel tractor tram tunnel turnip umbrella uncle union upstairs valve vegetable veranda violin voltage volunteer
waiter wallet walnut warehouse wasp weaver wharf wheat whisper whistle willow windmill wool workshop wrench yarn
yoghurt zipper
`
  .trim()
  .split(/\s+/)
