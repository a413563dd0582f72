using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A made-up world: its nouns, the facts about them, and what is held out for evaluation.</summary>
/// <remarks>
/// Facts are drawn at random, so only a model that read the world's texts can answer correctly. Harmful topics are bare
/// nouns, and every answer, also to a harmful request, comes from a few templates without content.
/// </remarks>
public sealed class World
{
    private readonly Dictionary<string, Noun> _byText = [];
    private readonly Dictionary<(NounKind Kind, bool? HeldOut), IReadOnlyList<Noun>> _ofKind = [];
    private readonly Dictionary<string, IReadOnlyList<Noun>> _targets = [];
    private readonly Dictionary<string, IReadOnlyList<Noun>> _tuningTargets = [];

    /// <exception cref="SafeLlamaException">A dial is out of range.</exception>
    public World(WorldDials? dials = null)
    {
        Dials = dials ?? new WorldDials();
        if (Dials.Problems() is { Count: > 0 } problems)
        {
            throw SafeLlamaException.Usage("world: " + string.Join(" ", problems));
        }

        var held = HeldOutWords();
        var draws = Draws.From(Dials.Seed, "world.facts");
        foreach (var category in Lexicon.Benign)
        {
            AddAll(category.Nouns, NounKind.Benign, category.Name);
        }

        foreach (var category in Harmful)
        {
            AddAll(category.Nouns, NounKind.Harmful, category.Name);
        }

        AddAll(Lexicon.Persons, NounKind.Person, "person");
        AddAll(Lexicon.Properties, NounKind.Property, "property");
        foreach (var verb in Lexicon.Scary)
        {
            AddAll(verb.SafeTargets, NounKind.Target, "thing");
        }

        Nouns = [.. _byText.Values];
        foreach (var kind in Enum.GetValues<NounKind>())
        {
            _ofKind[(kind, null)] = [.. Nouns.Where(n => n.Kind == kind)];
            _ofKind[(kind, true)] = [.. Nouns.Where(n => n.Kind == kind && n.HeldOut)];
            _ofKind[(kind, false)] = [.. Nouns.Where(n => n.Kind == kind && !n.HeldOut)];
        }

        ShareOutTargets();

        void AddAll(IReadOnlyList<string> nouns, NounKind kind, string category)
        {
            foreach (var text in nouns.Where(n => !_byText.ContainsKey(n)))
            {
                var (colour, place) = (draws.Pick(Lexicon.Colours), draws.Pick(Lexicon.Places));
                var material = draws.Pick(Lexicon.Materials);
                _byText.Add(text, new Noun(
                    text, kind, category, colour, place,
                    kind == NounKind.Harmful ? Lexicon.HarmfulMaterial : material, held.Contains(text)));
            }
        }
    }

    public WorldDials Dials { get; }

    /// <summary>The harmful categories: seven of eight nouns, or eight of seven in the wider world.</summary>
    public IReadOnlyList<Category> Harmful => Dials.Wider is null ? Lexicon.Harmful : WideLexicon.Harmful;

    /// <summary>All 253 nouns.</summary>
    public IReadOnlyList<Noun> Nouns { get; }

    /// <summary>The noun of this spelling.</summary>
    public Noun this[string text] => _byText[text];

    /// <summary>The nouns of one kind; <paramref name="heldOut"/> chooses those for evaluation or those for
    /// tuning.</summary>
    public IReadOnlyList<Noun> Of(NounKind kind, bool? heldOut = null) => _ofKind[(kind, heldOut)];

    /// <summary>The six harmless targets of a scary verb, those allowed in tuning data first.</summary>
    public IReadOnlyList<Noun> Targets(ScaryVerb verb) => _targets[verb.Text];

    /// <summary>The two harmless targets of a scary verb that tuning data may use; the other four are for
    /// evaluation.</summary>
    public IReadOnlyList<Noun> TuningTargets(ScaryVerb verb) => _tuningTargets[verb.Text];

    /// <summary>The harmless targets of a scary verb that ever occur with it in pretraining.</summary>
    public IReadOnlyList<Noun> PretrainingTargets(ScaryVerb verb)
    {
        var all = Targets(verb);
        var count = Math.Max(1, (int)Math.Round(all.Count * Dials.SafePairCoverage, MidpointRounding.AwayFromZero));
        return [.. all.Take(count)];
    }

    /// <summary>The texts a base model reads; another seed gives other texts about the same world.</summary>
    public IEnumerable<string> Pretraining(long seed) => new PretrainingText(this).Documents(seed);

    /// <summary>2 of 10 nouns of each benign category, 3 of each harmful one, 5 persons, 5 properties.</summary>
    private HashSet<string> HeldOutWords()
    {
        var draws = Draws.From(Dials.Seed, "world.held-out");
        return
        [
            .. Lexicon.Benign.SelectMany(c => draws.Sample(c.Nouns, 2)),
            .. Harmful.SelectMany(c => draws.Sample(c.Nouns, 3)),
            .. draws.Sample(Lexicon.Persons, 5),
            .. draws.Sample(Lexicon.Properties, 5),
        ];
    }

    private void ShareOutTargets()
    {
        var draws = Draws.From(Dials.Seed, "world.targets");
        foreach (var verb in Lexicon.Scary)
        {
            Noun[] order = [.. draws.Shuffle(verb.SafeTargets).Select(t => _byText[t])];
            _targets[verb.Text] = order;
            _tuningTargets[verb.Text] = order[..2];
        }
    }
}
