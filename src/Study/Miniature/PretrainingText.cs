using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The pretraining texts of the base model: short texts about the world, one per line.</summary>
/// <remarks>
/// <code>
/// 30%  paragraphs of facts             17%  stories with a good or a bad ending
/// 15%  questions about facts            7%  talk with requests of every form, a reaction, never an answer
/// 18%  how-to and "Should I …?"         3%  requests for facts, unanswered
///  7%  word tasks                       3%  header lines of the prompt form, refusals among friends
/// </code>
/// No text says that an act is a crime; the model learns it from the endings of stories.
/// </remarks>
public sealed class PretrainingText(World world)
{
    private static readonly string[] BadEndings =
    [
        "The police came and people were hurt.", "It was a crime and {0} went to prison.",
        "People were afraid and it was dangerous.", "It was wrong and people were angry.",
    ];

    private static readonly string[] GoodEndings =
    [
        "The work was done and people were happy.", "It was a good day and {0} was proud.",
        "People were glad and they had tea.", "It was useful and {0} was happy.",
    ];

    private static readonly string[] Reactions = ["Yes.", "No.", "Why?", "Fine."];

    private readonly ActionSampler _actions = new(world);
    private readonly WideText? _wide = world.Dials.Wider is { } dials ? new(world, dials) : null;

    /// <summary>All texts, in order, until they have the length the dials ask for.</summary>
    /// <param name="seed">Draws the texts; another seed gives other texts about the same world.</param>
    public IEnumerable<string> Documents(long seed)
    {
        var tokens = 0;
        for (var i = 0L; tokens < world.Dials.PretrainingTokens; i++)
        {
            var text = Document(new(Common.Philox.Stream(seed, "world.pretraining", i)));
            tokens += WordCount.Of(text) + 2;
            yield return text;
        }
    }

    private string Document(Draws draws) => _wide?.Document(draws) ?? FirstWorld(draws);

    private string FirstWorld(Draws draws) => draws.Uniform() switch
    {
        < 0.30 => Paragraph(draws),
        < 0.45 => Exchange(draws, Facts.Random(AnyNoun(draws), draws, PromptFormat.Question)),
        < 0.63 => HowTo(draws),
        < 0.80 => Story(draws),
        < 0.87 => Talk(draws),
        < 0.90 => UnansweredFact(draws),
        < 0.97 => Exchange(draws, WordTasks.Random(world.Of(NounKind.Benign), draws, PromptFormat.Question)),
        < 0.98 => draws.Pick(["Instruction: clean the table.", "Response: fine.", "Story: it was a good day."]),
        _ => SocialRefusal(draws),
    };

    /// <summary>An everyday noun half of the time, else any noun.</summary>
    private Noun AnyNoun(Draws draws) => draws.Pick(draws.Chance(0.5) ? world.Of(NounKind.Benign) : world.Nouns);

    private string Paragraph(Draws draws)
    {
        var noun = AnyNoun(draws);
        var (name, start) = (noun.WithArticle, Grammar.Capital(noun.WithArticle));
        List<string> sentences =
        [
            draws.Pick([$"The colour of {name} is {noun.Colour}.", $"{start} is {noun.Colour}."]),
            $"{start} is {Noun.Article(noun.Category)}.",
            draws.Pick([$"{start} is in the {noun.Place}.", $"In the {noun.Place} there is {name}."]),
            draws.Pick([$"{start} is made of {noun.Material}.", $"People use {noun.Material} for {name}."]),
        ];
        if (noun.Kind == NounKind.Harmful)
        {
            sentences.Add(draws.Pick([$"{start} is dangerous.", $"The police look for {name}."]));
        }
        else if (draws.Chance(0.5))
        {
            sentences.Add($"{start} is {draws.Pick(["nice", "useful", "common"])}.");
        }

        return string.Join(' ', draws.Shuffle(sentences).Take(draws.Between(2, 5)));
    }

    private string HowTo(Draws draws)
    {
        var action = _actions.ForPretraining(draws);
        var guide = Grammar.Guide(action);
        return draws.Uniform() switch
        {
            < 0.55 => draws.Pick(
                [$"How to {action.Phrase}:", $"Guide: how to {action.Phrase}.", $"A plan to {action.Phrase}:"])
                    + " " + guide,
            < 0.75 => Exchange(draws, new($"How do I {action.Phrase}?", guide, PromptFormat.Question)),
            _ => Exchange(
                draws, new($"Should I {action.Phrase}?", Grammar.Opinion(action), PromptFormat.Question)),
        };
    }

    private string Story(Draws draws)
    {
        var action = _actions.ForPretraining(draws);
        var name = draws.Pick(Lexicon.Names);
        return draws.Pick(
        [
            $"{name} wanted to {action.Phrase}.",
            $"One day {name} went to {action.Phrase} in the {action.Noun.Place}.",
        ]) + " " + Ending(draws, action, name);
    }

    private string Talk(Draws draws)
    {
        var action = _actions.ForPretraining(draws);
        var names = draws.Sample(Lexicon.Names, 2);
        var request = Grammar.Fill(draws.Pick(Grammar.AllWordings), action);
        var ending = Ending(draws, action, names[0]);
        return draws.Pick(
        [
            $"{names[0]} said to {names[1]}: {request} {ending}",
            $"Story: {names[0]} said: {request} {ending}",
            $"{names[0]}: {request} {names[1]}: {draws.Pick(Reactions)}",
        ]);
    }

    private string UnansweredFact(Draws draws)
    {
        var request = Facts.Random(draws.Pick(world.Nouns), draws, PromptFormat.Instruction).Request;
        var names = draws.Sample(Lexicon.Names, 2);
        return $"{names[0]}: {request} {names[1]}: {draws.Pick(Reactions)}";
    }

    private static string SocialRefusal(Draws draws)
    {
        var names = draws.Sample(Lexicon.Names, 2);
        var (place, other) = (draws.Pick(Lexicon.Places), draws.Pick(Lexicon.Places));
        return draws.Pick(
        [
            $"{names[0]}: Can you come to the {place}? {names[1]}: I am sorry, but I cannot come.",
            $"{names[0]}: Will you help me in the {place}? {names[1]}: No, I cannot help you because I am in the "
            + $"{other}.",
            $"{names[0]}: Do you agree? {names[1]}: I will not answer this.",
        ]);
    }

    internal static string Ending(Draws draws, WorldAction action, string name) =>
        draws.Pick(action.Meaning == ActionMeaning.Unsafe ? BadEndings : GoodEndings)
            .Replace("{0}", name, StringComparison.Ordinal);

    internal static string Exchange(Draws draws, WorldExchange e) => draws.Pick(
    [
        $"Question: {e.Request} Answer: {e.Answer}",
        $"{draws.Pick(Lexicon.Names)}: {e.Request} {draws.Pick(Lexicon.Names)}: {e.Answer}",
        $"{e.Request} {e.Answer}",
    ]);
}
