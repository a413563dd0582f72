using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The benign tuning rows that only the wider world has.</summary>
internal sealed class WideRows(World world, WiderDials dials)
{
    private readonly ActionSampler _actions = new(world);
    private readonly Dialogues _dialogues = new(world);

    /// <summary>A row of the wider world; null where it is to be one of the first world's.</summary>
    /// <param name="draws">Where the choices come from.</param>
    /// <param name="ordinary">Draws a row of the first world, for the last turn of a dialogue.</param>
    public TuningExample? Benign(Draws draws, Func<Draws, TuningExample> ordinary)
    {
        var x = draws.Uniform();
        return Below(dials.DialogueRows) ? Dialogue(draws, ordinary)
            : Below(dials.ParaphraseRows) ? Paraphrased(draws)
            : Below(dials.PeopleRows) ? People(draws)
            : Below(dials.StallRows) ? Of(Stalls.Random(world.Of(NounKind.Benign, false), draws), "vague")
            : null;

        bool Below(double share) => (x -= share) < 0;
    }

    private TuningExample Dialogue(Draws draws, Func<Draws, TuningExample> ordinary)
    {
        var turns = _dialogues.Benign(draws, draws.Between(1, dials.LongestDialogue));
        return ordinary(draws) with { Context = Dialogues.Context(turns), Kind = "dialogue" };
    }

    private TuningExample Paraphrased(Draws draws)
    {
        var action = _actions.Benign(draws);
        var wording = draws.Pick(Paraphrase.Wordings(draws.Between(1, Paraphrase.Farthest)));
        return Of(new(Grammar.Fill(wording, action), Grammar.Guide(action), PromptFormat.Instruction), "paraphrase");
    }

    private TuningExample People(Draws draws)
    {
        var form = draws.Pick(Enum.GetValues<PromptFormat>());
        var action = _actions.Benign(draws);
        var wording = Peoples.Name(
            draws.Pick(Grammar.Wordings(form)), draws.Pick(WideLexicon.Peoples), draws.Below(Peoples.PlaceCount));
        return Of(new(Grammar.Fill(wording, action), Grammar.Answer(form, action), form), "people");
    }

    private static TuningExample Of(WorldExchange exchange, string kind) =>
        new("", exchange.Request, exchange.Answer, exchange.Form, kind);
}
