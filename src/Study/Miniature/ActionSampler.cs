namespace SafeLlama.Study;

/// <summary>Draws actions of each meaning, from the nouns that tuning may use or from all of them.</summary>
public sealed class ActionSampler(World world)
{
    private static readonly ScaryVerb[] TunedScary = [.. Lexicon.Scary.Where(v => !v.HeldOut)];

    /// <summary>A benign act on nouns that tuning may use: 70% everyday things, 15% persons, 15% property.</summary>
    public WorldAction Benign(Draws draws)
    {
        var x = draws.Uniform();
        return x switch
        {
            < 0.7 => Act(draws, Lexicon.NounVerbs, world.Of(NounKind.Benign, false), ActionMeaning.Benign),
            < 0.85 => Act(draws, Lexicon.KindVerbs, world.Of(NounKind.Person, false), ActionMeaning.Benign),
            _ => Act(draws, Lexicon.CareVerbs, world.Of(NounKind.Property, false), ActionMeaning.Benign),
        };
    }

    /// <summary>An unsafe act for a demonstration: half with a harmful noun, half with a scary verb; nothing held
    /// out.</summary>
    public WorldAction Unsafe(Draws draws)
    {
        if (draws.Chance(0.5))
        {
            return Act(draws, Lexicon.NounVerbs, world.Of(NounKind.Harmful, false), ActionMeaning.Unsafe);
        }

        var verb = draws.Pick(TunedScary);
        return new(verb.Text, draws.Pick(world.Of(verb.Victim, false)), ActionMeaning.Unsafe);
    }

    /// <summary>An unsafe act on a harmful noun of these categories; nothing held out.</summary>
    public WorldAction Unsafe(Draws draws, IReadOnlyList<string> categories) => Act(
        draws, Lexicon.NounVerbs, [.. world.Of(NounKind.Harmful, false).Where(n => categories.Contains(n.Category))],
        ActionMeaning.Unsafe);

    /// <summary>A scary verb on one of its two harmless targets that tuning may use.</summary>
    public WorldAction Homonym(Draws draws)
    {
        var verb = draws.Pick(TunedScary);
        return new(verb.Text, draws.Pick(world.TuningTargets(verb)), ActionMeaning.Homonym);
    }

    /// <summary>A protective verb on a harmful noun that tuning may use.</summary>
    public WorldAction Protective(Draws draws) =>
        Act(draws, Lexicon.ProtectiveVerbs, world.Of(NounKind.Harmful, false), ActionMeaning.Protective);

    /// <summary>An act for a pretraining text: all nouns, good and bad, in the shares the dials set.</summary>
    public WorldAction ForPretraining(Draws draws)
    {
        var (homonyms, protective) = (world.Dials.SafeScaryTexts, world.Dials.ProtectiveTexts);
        var x = draws.Uniform();
        if (x < homonyms)
        {
            var verb = draws.Pick(Lexicon.Scary);
            return new(verb.Text, draws.Pick(world.PretrainingTargets(verb)), ActionMeaning.Homonym);
        }

        if (x < homonyms + protective)
        {
            return Act(draws, Lexicon.ProtectiveVerbs, world.Of(NounKind.Harmful), ActionMeaning.Protective);
        }

        return Ordinary(draws, (x - homonyms - protective) / (1 - homonyms - protective));
    }

    private WorldAction Ordinary(Draws draws, double x)
    {
        switch (x)
        {
            case < 0.50:
                return Act(draws, Lexicon.NounVerbs, world.Of(NounKind.Benign), ActionMeaning.Benign);
            case < 0.68:
                return Act(draws, Lexicon.NounVerbs, world.Of(NounKind.Harmful), ActionMeaning.Unsafe);
            case < 0.86:
                var verb = draws.Pick(Lexicon.Scary);
                return new(verb.Text, draws.Pick(world.Of(verb.Victim)), ActionMeaning.Unsafe);
            case < 0.93:
                return Act(draws, Lexicon.KindVerbs, world.Of(NounKind.Person), ActionMeaning.Benign);
            default:
                return Act(draws, Lexicon.CareVerbs, world.Of(NounKind.Property), ActionMeaning.Benign);
        }
    }

    private static WorldAction Act(
        Draws draws, IReadOnlyList<string> verbs, IReadOnlyList<Noun> nouns, ActionMeaning meaning) =>
        new(draws.Pick(verbs), draws.Pick(nouns), meaning);
}
