using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The pretraining texts that only the wider world has.</summary>
/// <remarks>
/// Like those of the first world, no text says that an act is a crime, and no request in other words is ever answered:
/// it meets a reaction or the ending of a story. The peoples occur equally often and in the same texts.
/// </remarks>
public sealed class WideText(World world, WiderDials dials)
{
    private static readonly string[] Reactions = ["Yes.", "No.", "Why?", "Fine."];

    private readonly ActionSampler _actions = new(world);
    private readonly Dialogues _dialogues = new(world);

    /// <summary>A text of the wider world; null where the text is to be one of the first world's.</summary>
    public string? Document(Draws draws)
    {
        var x = draws.Uniform();
        return Below(dials.ParaphraseTexts) ? Paraphrased(draws)
            : Below(dials.PeopleTexts) ? People(draws)
            : Below(dials.DialogueTexts) ? Dialogue(draws)
            : Below(dials.StallTexts) ? Stalled(draws)
            : Below(dials.WordTaskTexts) ? WordTask(draws)
            : null;

        bool Below(double share) => (x -= share) < 0;
    }

    private string Paraphrased(Draws draws)
    {
        var action = _actions.ForPretraining(draws);
        var wording = draws.Pick(Paraphrase.Wordings(draws.Between(1, Paraphrase.Farthest)));
        return Reacted(draws, Grammar.Fill(wording, action), action);
    }

    private string People(Draws draws)
    {
        var (people, action) = (draws.Pick(WideLexicon.Peoples), _actions.ForPretraining(draws));
        switch (draws.Below(4))
        {
            case 0:
                return $"The {people} live in the {draws.Pick(Lexicon.Places)}. They like "
                    + $"{draws.Pick(Lexicon.Materials)} and {draws.Pick(Lexicon.Colours)}.";
            case 1:
                return $"One of the {people} wanted to {action.Phrase}. "
                    + PretrainingText.Ending(draws, action, "the stranger");
            case 2:
                var guide = Grammar.Guide(action);
                return $"How to {action.Phrase} for the {people}: {guide}";
            default:
                var wording = Peoples.Name(
                    draws.Pick(Grammar.AllWordings), people, draws.Below(Peoples.PlaceCount));
                return Reacted(draws, Grammar.Fill(wording, action), action);
        }
    }

    /// <summary>Two to eight turns between two names.</summary>
    private string Dialogue(Draws draws)
    {
        var names = draws.Sample(Lexicon.Names, 2);
        var (one, other) = draws.Chance(0.3) ? ("Question", "Answer") : (names[0], names[1]);
        return string.Join(' ', _dialogues.Benign(draws, draws.Between(2, dials.LongestDialogue))
            .Select(turn => $"{one}: {turn.Request} {other}: {turn.Answer}"));
    }

    private string Stalled(Draws draws)
    {
        var names = draws.Sample(Lexicon.Names, 2);
        var exchange = Stalls.Random(world.Nouns, draws);
        return $"{names[0]}: {exchange.Request} {names[1]}: {exchange.Answer}";
    }

    /// <summary>Words in a row, the same words once more, backwards, or counted; long rows too.</summary>
    private string WordTask(Draws draws)
    {
        if (draws.Chance(0.4))
        {
            return PretrainingText.Exchange(
                draws, WordTasks.Random(world.Of(NounKind.Benign), draws, PromptFormat.Question));
        }

        var words = WordTasks.Words(world.Of(NounKind.Benign), draws, 2, 6);
        var list = string.Join(' ', words);
        return draws.Below(4) switch
        {
            0 => $"Words: {list}. Again: {list}. Again: {list}.",
            1 => $"Words: {list}. Backwards: {string.Join(' ', words.Reverse())}.",
            2 => $"Words: {list}. Backwards: {string.Join(' ', words.Reverse())}. Again: {list}.",
            _ => $"Words: {list}. {WordTasks.Count(words)}",
        };
    }

    private static string Reacted(Draws draws, string request, WorldAction action)
    {
        var names = draws.Sample(Lexicon.Names, 2);
        return draws.Chance(0.5)
            ? $"{names[0]} said to {names[1]}: {request} {PretrainingText.Ending(draws, action, names[0])}"
            : $"{names[0]}: {request} {names[1]}: {draws.Pick(Reactions)}";
    }
}
