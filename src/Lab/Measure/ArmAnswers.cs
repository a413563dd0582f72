using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>One prompt and what an arm answered.</summary>
/// <param name="Verdict">What the world's grader says.</param>
internal sealed record ArmAnswer(StudyPrompt Prompt, string Answer, Behavior Verdict)
{
    public bool Refuses => Verdict.Refuses() == true;
}

/// <summary>The answers of a shipped arm to every homonym and its unsafe twin, test prompts all.</summary>
internal sealed class ArmAnswers
{
    private const int AtOnce = 64;
    private const int MostTokens = 48;

    private ArmAnswers(string arm, IReadOnlyList<(ArmAnswer Safe, ArmAnswer Twin)> pairs, double seconds) =>
        (Arm, Pairs, Seconds) = (arm, pairs, seconds);

    public string Arm { get; }

    /// <summary>A safe request that sounds harmful, and the unsafe one that differs in its object alone.</summary>
    public IReadOnlyList<(ArmAnswer Safe, ArmAnswer Twin)> Pairs { get; }

    public double Seconds { get; }

    public static ArmAnswers Ask(WorldSource world, string arm, int threads, CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var model = MiniatureModel.FolderOf(StudyRecipe.Miniature);
        using var opened = LlamaSession.Open(new CpuBackend(threads), model, new()
        {
            Adapter = MiniatureModel.AdapterFolder(arm),
            Template = world.Template,
            OwnsBackend = true,
        });
        var generator = new Generator(opened.Model, opened.Decoding(DecodingConfig.Greedy(MostTokens)));
        var known = world.Prompts.ToDictionary(p => p.Id);
        var pairs = world.Prompts.Where(p => p.Suite == "safe-homonym")
            .Select(p => (Safe: p, Twin: known[p.Twin!])).ToList();
        var answers = pairs.SelectMany(p => new[] { p.Safe, p.Twin }).Distinct().Chunk(AtOnce)
            .SelectMany(some => some.Zip(
                generator.Generate([.. some.Select(p => opened.PromptIds(p.Text))], cancel: cancel)))
            .ToDictionary(a => a.First.Id, a => Of(a.First, opened.Decode(a.Second)));
        return new(arm, [.. pairs.Select(p => (answers[p.Safe.Id], answers[p.Twin.Id]))], clock.Elapsed.TotalSeconds);
    }

    private static ArmAnswer Of(StudyPrompt prompt, string answer) => new(prompt, answer, WorldGrader.Judge(answer));
}
