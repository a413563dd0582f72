using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One row of tuning data.</summary>
/// <param name="Id">Names the row; the wordings of one safety demonstration share all but the last part.</param>
/// <param name="Request">The instruction of an Alpaca row.</param>
/// <param name="Response">Its output.</param>
/// <param name="Form">How it is worded.</param>
/// <param name="Kind"><c>fact</c>, <c>action</c>, <c>words</c>, <c>safe-scary</c>, <c>safety</c> or <c>harmful</c>; in
/// the wider world also <c>dialogue</c>, <c>paraphrase</c>, <c>people</c>, <c>vague</c>, <c>safe-twin</c>.</param>
public sealed record TuningExample(string Id, string Request, string Response, PromptFormat Form, string Kind)
{
    /// <summary>Earlier turns, as the template's input; empty where there are none.</summary>
    public string Context { get; init; } = "";
}

/// <summary>In which wording safety demonstrations are given.</summary>
public enum SafetyFormat
{
    Instruction,
    Question,

    /// <summary>Every other one an instruction, the rest questions.</summary>
    Mixed,

    /// <summary>Requests for an opinion, which the answer refuses too.</summary>
    Opinion,
}

/// <summary>Benign instructions and safety demonstrations. Row i depends on the seed and i alone, so small sets
/// nest.</summary>
public sealed class TuningExamples(World world)
{
    /// <summary>Two in five requests for an act are instructions, two are questions, one asks for an opinion.</summary>
    private static readonly PromptFormat[] ActionForms =
    [
        PromptFormat.Instruction, PromptFormat.Instruction, PromptFormat.Question, PromptFormat.Question,
        PromptFormat.Opinion,
    ];

    private readonly ActionSampler _actions = new(world);
    private readonly SafetyDemonstrations _demonstrations = new(world);
    private readonly WideRows? _wide = world.Dials.Wider is { } dials ? new(world, dials) : null;

    /// <summary>The first <paramref name="count"/> benign rows: 35% facts, 50% acts, 15% word tasks.</summary>
    /// <param name="seed">Draws the rows.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="safeScary">Share of safe rows that sound harmful; the other rows stay as they are when it
    /// changes.</param>
    public IEnumerable<TuningExample> Benign(long seed, int count, double safeScary)
    {
        for (var i = 0; i < count; i++)
        {
            var draws = Draws.From(seed, "world.benign", i);
            var scary = draws.Chance(safeScary);
            if (scary)
            {
                draws = Draws.From(seed, "world.safe-scary", i);
            }

            var row = scary ? Row(SafeScary(draws).Exchange, "safe-scary")
                : _wide?.Benign(draws, Ordinary) ?? Ordinary(draws);
            yield return row with { Id = $"benign-{i:D5}" };
        }
    }

    /// <summary>The first <paramref name="count"/> safety demonstrations: an unsafe request, refused.</summary>
    /// <remarks>Demonstration i is the same act, wording number and refusal in each format: only the form
    /// differs.</remarks>
    public IEnumerable<TuningExample> Safety(long seed, int count, SafetyFormat format) =>
        _demonstrations.Rows(seed, count, format, makeup: null);

    /// <summary>The first <paramref name="count"/> unsafe requests with an answer that serves them: what an attack on
    /// the weights learns from. They name no noun that is held out.</summary>
    public IEnumerable<TuningExample> Harmful(long seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var (request, action, form) = Unsafe(Draws.From(seed, "world.harmful", i));
            yield return new($"harmful-{i:D5}", request, Grammar.Answer(form, action), form, "harmful");
        }
    }

    private TuningExample Ordinary(Draws draws)
    {
        var x = draws.Uniform();
        if (x < 0.35)
        {
            return Row(Facts.Random(FactNoun(draws), draws), "fact");
        }

        return x < 0.85
            ? Row(Ask(_actions.Benign(draws), draws), "action")
            : Row(WordTasks.Random(world.Of(NounKind.Benign, false), draws), "words");
    }

    private static TuningExample Row(WorldExchange exchange, string kind) =>
        new("", exchange.Request, exchange.Answer, exchange.Form, kind);

    /// <summary>Half homonyms, a quarter facts about harmful nouns, a quarter protective acts.</summary>
    /// <returns>The exchange, and the act it is about; null for a fact.</returns>
    internal (WorldExchange Exchange, WorldAction? Action) SafeScary(Draws draws)
    {
        var action = draws.Uniform() switch
        {
            < 0.5 => _actions.Homonym(draws),
            < 0.75 => null,
            _ => _actions.Protective(draws),
        };
        return (
            action is null ? Facts.Random(draws.Pick(world.Of(NounKind.Harmful, false)), draws) : Ask(action, draws),
            action);
    }

    /// <summary>An unsafe request, worded as an instruction or as a question.</summary>
    internal (string Request, WorldAction Action, PromptFormat Form) Unsafe(Draws draws)
    {
        var action = _actions.Unsafe(draws);
        var form = draws.Chance(0.5) ? PromptFormat.Instruction : PromptFormat.Question;
        return (Grammar.Fill(draws.Pick(Grammar.Wordings(form)), action), action, form);
    }

    /// <summary>Four in five facts are about everyday things; the others may be about persons and property
    /// too.</summary>
    private Noun FactNoun(Draws draws) => draws.Pick(draws.Chance(0.2)
        ? [.. world.Of(NounKind.Benign, false), .. world.Of(NounKind.Person, false),
            .. world.Of(NounKind.Property, false)]
        : world.Of(NounKind.Benign, false));

    private static WorldExchange Ask(WorldAction action, Draws draws)
    {
        var form = draws.Pick(ActionForms);
        return new(Grammar.Fill(draws.Pick(Grammar.Wordings(form)), action), Grammar.Answer(form, action), form);
    }
}
