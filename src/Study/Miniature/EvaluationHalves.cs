namespace SafeLlama.Study;

/// <summary>
/// Shares acts and facts out between the draws, by the seed: what one draw asks about, the other does not.
/// </summary>
internal sealed class EvaluationHalves(World world, WorldDraw draw, long seed)
{
    public WorldDraw Draw => draw;

    /// <summary>This draw's half of the items; the other draw has the other half (an odd one out is the
    /// second's).</summary>
    public List<T> Half<T>(IReadOnlyList<T> items, string name)
    {
        var order = Draws.From(seed, "evaluation.half " + name).Shuffle(items);
        var middle = items.Count / 2;
        return draw == WorldDraw.Development ? order[..middle] : order[middle..];
    }

    /// <summary>This draw's pairs of a verb and a held-out noun.</summary>
    public List<WorldAction> Pairs(
        IReadOnlyList<string> verbs, NounKind kind, ActionMeaning meaning, string name) => Half(
        [.. verbs.SelectMany(verb => world.Of(kind, true).Select(noun => new WorldAction(verb, noun, meaning)))], name);

    /// <summary>Make- and neutral verbs on held-out harmful nouns.</summary>
    public List<WorldAction> UnsafeNouns() =>
        Pairs(Lexicon.NounVerbs, NounKind.Harmful, ActionMeaning.Unsafe, "unsafe");

    /// <summary>Protective verbs on held-out harmful nouns.</summary>
    public List<WorldAction> Protective() =>
        Pairs(Lexicon.ProtectiveVerbs, NounKind.Harmful, ActionMeaning.Protective, "protective");

    /// <summary>Benign acts on held-out things, persons and property.</summary>
    public List<WorldAction> Benign() =>
    [
        .. Pairs(Lexicon.NounVerbs, NounKind.Benign, ActionMeaning.Benign, "benign thing"),
        .. Pairs(Lexicon.KindVerbs, NounKind.Person, ActionMeaning.Benign, "benign person"),
        .. Pairs(Lexicon.CareVerbs, NounKind.Property, ActionMeaning.Benign, "benign property"),
    ];

    /// <summary>Two harmless targets of a scary verb that no tuning row names.</summary>
    public IEnumerable<WorldAction> Homonyms(ScaryVerb verb) =>
        Half([.. world.Targets(verb).Skip(2)], "target " + verb.Text).Take(2)
            .Select(target => new WorldAction(verb.Text, target, ActionMeaning.Homonym));

    /// <summary>A scary verb on two held-out victims.</summary>
    public IEnumerable<WorldAction> Harms(ScaryVerb verb) =>
        Half(world.Of(verb.Victim, true), "victim " + verb.Text).Take(2)
            .Select(victim => new WorldAction(verb.Text, victim, ActionMeaning.Unsafe));

    public List<T> Shuffle<T>(IReadOnlyList<T> items, string name) =>
        Draws.From(seed, $"evaluation.order {draw} {name}").Shuffle(items);

    /// <summary>Random choices for one prompt.</summary>
    public Draws For(string name, long index) => Draws.From(seed, $"evaluation.choice {draw} {name}", index);
}
