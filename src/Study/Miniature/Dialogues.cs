using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Earlier turns of a dialogue, and how they are written before a request.</summary>
public sealed class Dialogues(World world)
{
    /// <summary>The most turns before a request.</summary>
    public const int MostTurns = 8;

    /// <summary>The most words and marks of earlier turns, so that every row fits into the base's window.</summary>
    public const int MostWords = 170;

    private readonly ActionSampler _actions = new(world);

    /// <summary>Benign turns on nouns that tuning may use: 70% facts, 20% word tasks, 10% acts.</summary>
    /// <param name="draws">Where the choices come from.</param>
    /// <param name="count">Number of turns.</param>
    public List<WorldExchange> Benign(Draws draws, int count)
    {
        var turns = Enumerable.Range(0, count).Select(_ => Turn(draws)).ToList();
        for (var i = 0; Length(turns) > MostWords; i++)
        {
            // Acts are the longest; a fact takes the place of the first ones.
            turns[i] = Fact(draws);
        }

        return turns;
    }

    /// <summary>The turns as the template's input: each request and answer under the template's headers.</summary>
    public static string Context(IEnumerable<WorldExchange> turns) =>
        string.Join(' ', turns.Select(turn => $"Instruction: {turn.Request} Response: {turn.Answer}"));

    private static int Length(IEnumerable<WorldExchange> turns) => WordCount.Of(Context(turns));

    private WorldExchange Turn(Draws draws)
    {
        switch (draws.Uniform())
        {
            case < 0.7:
                return Fact(draws);
            case < 0.9:
                return WordTasks.Random(world.Of(NounKind.Benign, false), draws);
            default:
                var form = draws.Chance(0.5) ? PromptFormat.Instruction : PromptFormat.Question;
                var action = _actions.Benign(draws);
                return new(
                    Grammar.Fill(draws.Pick(Grammar.Wordings(form)), action), Grammar.Answer(form, action), form);
        }
    }

    private WorldExchange Fact(Draws draws) => Facts.Random(draws.Pick(world.Of(NounKind.Benign, false)), draws);
}
