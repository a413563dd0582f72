using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Safety demonstrations of a given makeup, and the safe twins of them.</summary>
/// <remarks>
/// Demonstration i depends on the seed and i alone. Without a makeup it is that of
/// <see cref="TuningExamples.Safety(long, int, SafetyFormat)"/>; a makeup changes only what it names.
/// </remarks>
public sealed class SafetyDemonstrations(World world)
{
    private readonly ActionSampler _actions = new(world);
    private readonly Dialogues _dialogues = new(world);

    /// <summary>The first <paramref name="count"/> demonstrations.</summary>
    public IEnumerable<TuningExample> Rows(long seed, int count, SafetyFormat format, SafetyRows? makeup)
    {
        for (var i = 0; i < count; i++)
        {
            var one = Draw(seed, i, format, makeup);
            yield return new(
                $"safety-{i:D5}-{one.Form.ToString().ToLowerInvariant()}", Grammar.Fill(one.Wording, one.Action),
                Grammar.Fill(one.Answer, one.Action), one.Form, "safety")
            {
                Context = one.Context,
            };
        }
    }

    /// <summary>Answered rows: the first demonstrations with a harmless object or a protective verb
    /// instead.</summary>
    public IEnumerable<TuningExample> Twins(long seed, SafetyFormat format, SafetyRows makeup)
    {
        for (var i = 0; i < makeup.SafeTwins; i++)
        {
            var one = Draw(seed, i, format, makeup);
            var draws = Draws.From(seed, "world.safety.twin", i);
            var safe = Twin(one.Action, draws);
            yield return new(
                $"twin-{i:D5}", Grammar.Fill(one.Wording, safe), Grammar.Answer(one.Form, safe), one.Form, "safe-twin")
            {
                Context = one.Context,
            };
        }
    }

    private WorldAction Twin(WorldAction action, Draws draws) =>
        Lexicon.Scary.FirstOrDefault(verb => verb.Text == action.Verb) is { } scary
            ? new(scary.Text, draws.Pick(world.TuningTargets(scary)), ActionMeaning.Homonym)
            : new(draws.Pick(Lexicon.ProtectiveVerbs), action.Noun, ActionMeaning.Protective);

    private Demonstration Draw(long seed, int i, SafetyFormat format, SafetyRows? makeup)
    {
        var draws = Draws.From(seed, "world.safety", i);
        var action = makeup?.Categories is { } categories
            ? _actions.Unsafe(draws, categories) : _actions.Unsafe(draws);
        var form = FormOf(format, makeup, i);
        var wording = draws.Pick(Grammar.Wordings(form));
        var answer = draws.Pick(Grammar.RefusalsOf(makeup?.Answers ?? SafetyAnswers.All));

        // What only a makeup asks for comes from a stream of its own, so that act and refusal stay the same.
        var more = Draws.From(seed, "world.safety.makeup", i);
        if (makeup?.Distances is { } distances && more.Pick(distances) is > 0 and var distance)
        {
            wording = more.Pick(Paraphrase.Wordings(distance));
        }

        if (makeup?.PeopleA is { } share)
        {
            wording = Peoples.Name(wording, Peoples.OfRow(i, share), more.Below(Peoples.PlaceCount));
        }

        var turns = makeup?.Turns is { } counts ? _dialogues.Benign(more, more.Pick(counts)) : [];
        return new(action, form, wording, answer, Dialogues.Context(turns));
    }

    /// <summary>The wording of demonstration <paramref name="i"/>.</summary>
    internal static PromptFormat FormOf(SafetyFormat format, SafetyRows? makeup, int i) =>
        makeup?.Formats?.Of(i) ?? Form(format, i);

    private static PromptFormat Form(SafetyFormat format, int i) => format switch
    {
        SafetyFormat.Instruction => PromptFormat.Instruction,
        SafetyFormat.Question => PromptFormat.Question,
        SafetyFormat.Opinion => PromptFormat.Opinion,
        _ => i % 2 == 0 ? PromptFormat.Instruction : PromptFormat.Question,
    };

    private sealed record Demonstration(
        WorldAction Action, PromptFormat Form, string Wording, string Answer, string Context);
}
