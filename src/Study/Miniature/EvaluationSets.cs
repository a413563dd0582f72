using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// The draw of evaluation prompts: dials and settings are chosen on development, results are reported on test.
/// </summary>
public enum WorldDraw
{
    Development,
    Test,
}

/// <summary>All evaluation prompts of one draw.</summary>
/// <remarks>
/// Every pair of verb and object (for facts: of kind and noun) belongs to one draw alone, and no object and no held-out
/// verb occurs in tuning data. Homonyms are fully crossed: two targets for each of twelve verbs in all ten wordings of
/// instructions and questions, each with a twin that puts the same verb on a victim.
/// </remarks>
public sealed class EvaluationSets
{
    /// <summary>Prompts of a suite that is sampled rather than crossed.</summary>
    private const int SuiteSize = 200;

    private static readonly PromptFormat[] Asked = [PromptFormat.Instruction, PromptFormat.Question];

    private readonly World _world;
    private readonly EvaluationHalves _halves;
    private readonly List<StudyPrompt> _prompts = [];

    /// <param name="world">The world asked about.</param>
    /// <param name="draw">Development or test.</param>
    /// <param name="seed">Shares the pairs out between the draws and picks wordings; part of a study's recipe.</param>
    public EvaluationSets(World world, WorldDraw draw, long seed)
    {
        (_world, _halves) = (world, new(world, draw, seed));
        Homonyms();
        UnsafeNouns();
        Protective();
        FactSuite("harmful-fact", PromptLabel.Safe, NounKind.Harmful, 120);
        FactSuite("benign-fact", PromptLabel.Benign, NounKind.Benign, 120);
        BenignActions();
        WordSuite(seed);
        if (world.Dials.Wider is not null)
        {
            _prompts.AddRange(new WideSuites(world, _halves).Prompts());
        }
    }

    /// <summary>In order of suite and number.</summary>
    public IReadOnlyList<StudyPrompt> Prompts => _prompts;

    /// <summary>
    /// <c>safe-homonym</c> with its twins in <c>unsafe-instruction</c>, <c>unsafe-question</c> and, for verbs no safety
    /// demonstration holds, <c>held-out-verb</c>; the same acts as opinions in <c>unsafe-opinion</c>.
    /// </summary>
    private void Homonyms()
    {
        foreach (var verb in Lexicon.Scary)
        {
            foreach (var (safe, harm) in _halves.Homonyms(verb).Zip(_halves.Harms(verb)))
            {
                foreach (var form in Asked)
                {
                    foreach (var wording in Grammar.Wordings(form))
                    {
                        var twin = AddUnsafe(harm, form, wording, verb.HeldOut);
                        Add("safe-homonym", safe, form, wording, PromptLabel.Safe, verb.Text, twin);
                    }
                }

                foreach (var wording in verb.HeldOut ? [] : Grammar.Wordings(PromptFormat.Opinion))
                {
                    AddUnsafe(harm, PromptFormat.Opinion, wording, heldOut: false);
                }
            }
        }
    }

    private string AddUnsafe(WorldAction action, PromptFormat form, string wording, bool heldOut) => Add(
        heldOut ? "held-out-verb" : "unsafe-" + Name(form), action, form, wording, PromptLabel.Unsafe, "scary-verb");

    /// <summary>Fills each unsafe suite up to its size with make- and neutral verbs on held-out harmful
    /// nouns.</summary>
    private void UnsafeNouns()
    {
        var pairs = _halves.UnsafeNouns();
        foreach (var form in Enum.GetValues<PromptFormat>())
        {
            var suite = "unsafe-" + Name(form);
            var open = SuiteSize - _prompts.Count(p => p.Suite == suite);
            AddSample(suite, pairs, form, open, PromptLabel.Unsafe, "harmful-noun");
        }
    }

    private void Protective()
    {
        var pairs = _halves.Protective();
        foreach (var form in Asked)
        {
            AddSample("safe-protective", pairs, form, SuiteSize / 2, PromptLabel.Safe, "protective");
        }
    }

    private void BenignActions()
    {
        var pairs = _halves.Benign();
        foreach (var (form, count) in new[]
        {
            (PromptFormat.Instruction, 100), (PromptFormat.Question, 100), (PromptFormat.Opinion, 60),
        })
        {
            AddSample("benign-" + Name(form), pairs, form, count, PromptLabel.Benign, "action");
        }
    }

    private void FactSuite(string suite, PromptLabel label, NounKind kind, int count)
    {
        var facts = _halves.Half(
            [.. _world.Of(kind, true).SelectMany(noun => Facts.Kinds(noun).Select(fact => (Noun: noun, Fact: fact)))],
            suite);
        var all =
            from fact in facts
            from form in Asked
            from wording in Facts.Wordings(fact.Fact, form)
            select (fact.Noun, fact.Fact, Exchange: Facts.Ask(fact.Fact, fact.Noun, form, wording));
        foreach (var (noun, fact, exchange) in _halves.Shuffle([.. all], suite + " wording").Take(count))
        {
            _prompts.Add(new(
                NextId(suite), suite, exchange.Request, exchange.Form, label, fact.ToString().ToLowerInvariant(),
                $"{fact} {noun.Text}")
            {
                Expected = exchange.Answer,
            });
        }
    }

    private void WordSuite(long seed)
    {
        var asked = new HashSet<string>();
        for (var i = 0L; asked.Count < 100; i++)
        {
            // Even numbers belong to development, odd ones to test; a request in both stays in development.
            var exchange = WordTask(seed, 2 * i + (int)_halves.Draw);
            var taken = _halves.Draw == WorldDraw.Test
                && Enumerable.Range(0, 200).Any(k => WordTask(seed, 2 * k).Request == exchange.Request);
            if (!taken && asked.Add(exchange.Request))
            {
                _prompts.Add(new(
                    NextId("benign-words"), "benign-words", exchange.Request, exchange.Form, PromptLabel.Benign,
                    "words", exchange.Request)
                {
                    Expected = exchange.Answer,
                });
            }
        }
    }

    private WorldExchange WordTask(long seed, long number) => WordTasks.Random(
        _world.Of(NounKind.Benign), Draws.From(seed, "evaluation.words", number), oneAnswerOnly: true);

    private void AddSample(
        string suite, IReadOnlyList<WorldAction> pairs, PromptFormat form, int count, PromptLabel label,
        string category)
    {
        (WorldAction Action, string Wording)[] all =
            [.. pairs.SelectMany(pair => Grammar.Wordings(form).Select(wording => (pair, wording)))];
        foreach (var (action, wording) in _halves.Shuffle(all, $"{suite} {form}").Take(count))
        {
            Add(suite, action, form, wording, label, category);
        }
    }

    private string Add(
        string suite, WorldAction action, PromptFormat form, string wording, PromptLabel label, string category,
        string? twin = null)
    {
        var id = NextId(suite);
        _prompts.Add(new(id, suite, Grammar.Fill(wording, action), form, label, category, action.Phrase)
        {
            Expected = label == PromptLabel.Unsafe ? null : Grammar.Answer(form, action),
            Twin = twin,
        });
        return id;
    }

    private string NextId(string suite) => $"{suite}-{_prompts.Count(p => p.Suite == suite):D3}";

    private static string Name(PromptFormat form) => form.ToString().ToLowerInvariant();
}
