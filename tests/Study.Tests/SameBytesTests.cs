using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

/// <summary>A study whose analysis adds arms, made twice.</summary>
public sealed class SameBytesTests
{
    /// <summary>What holds times or places.</summary>
    private static readonly string[] Excused = ["timings.json"];

    private static readonly StudyRecipe Asked = new()
    {
        Name = "tiny-amount",
        Question = "How many are enough?",
        Models = [TinyModel.Folder],
        Seeds = [1, 2],
        Data = new StudyData { World = new WorldDials { BenignExamples = 40 }, Draw = WorldDraw.Development },
        Training = new StudyTraining { Epochs = 1, WarmupSteps = Amount.Count(1), Rank = 2, LearningRate = 1e-2 },
        Decoding = new StudyDecoding { MaxNewTokens = 2 },
        Arms =
        [
            new StudyArm { Name = "none", SafetyExamples = 0 },
            new StudyArm { Name = "random-10", SafetyExamples = 10 },
            new StudyArm { Name = "random-90", SafetyExamples = 90 },
        ],
        Analyses =
        [
            new StudyAnalysis
            {
                Name = "amount",
                Kind = AnalysisKind.Dose,
                Metric = "harmful_compliance",
                Quality = "quality",
                Cost = "over_refusal",
                Level = 0.5,
                Margin = 0.1,
                Refine = 2,
                Series = [new AnalysisSeries { Name = "random", Arms = ["none", "random-10", "random-90"] }],
            },
        ],
        Metrics = WorldMetrics.All,
    };

    [Test]
    public void Page_figure_and_report_are_the_same_bytes_on_one_thread_and_on_two()
    {
        var (one, two) = (Make(threads: 1, parallel: 1), Make(threads: 2, parallel: 2));
        var names = Names(one);
        Assert.That(names, Does.Contain("report.html").And.Contain("page.md").And.Contain("figure.svg")
            .And.Contain("report.md").And.Contain("lesson.json").And.Contain("results.json")
            .And.Contain(DirectionReader.FileName).And.Contain(BegunRecipe.FileName));
        Assert.That(Names(two), Is.EqualTo(names));
        foreach (var name in names)
        {
            Assert.That(
                File.ReadAllBytes(Path.Combine(two, name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(one, name))), name);
        }

        Assert.That(File.ReadAllText(Path.Combine(one, "page.md")), Does.Match(@"\| random-(?!10 |90 )\d+ \|"),
            "arms were added");
    }

    private static string[] Names(string folder) =>
    [
        .. Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Except(Excused)
            .Where(name => name[0] != '.').Order(StringComparer.Ordinal),
    ];

    /// <summary>The rounds of a study, then its report, in a folder of its own.</summary>
    private static string Make(int threads, int parallel)
    {
        var (folder, recipe) = (TestFiles.NewFolder(), Asked);
        var source = new FewPrompts(new WorldSource(Asked.Data), every: 12);
        var engine = new Taught(new LlamaEngine(() => new CpuBackend(threads), MiniatureModel.FolderOf), source);
        while (true)
        {
            var runner = new StudyRunner(recipe, source, engine);
            var run = runner.Run(folder, resume: recipe != Asked, parallel);
            if (StudyRefinement.Next(Asked, run.Results) is { } next)
            {
                recipe = next;
                continue;
            }

            var directions = new DirectionReader(recipe, source, engine).Read(run, runner.Jobs, folder);
            ReportFiles.Write(StudyReport.Of(run with { Directions = directions }), folder);
            return folder;
        }
    }

    /// <summary>A tiny model, trained and looked into as any other, whose answers are made up: so small a model learns no
    /// refusal, and then no dose would be added.</summary>
    private sealed class Taught(LlamaEngine real, IStudySource source) : IStudyEngine
    {
        private readonly MadeUpEngine _answers = new(source);

        public IReadOnlyDictionary<string, string> Describe(string model) => real.Describe(model);

        public long WeightCount(string model) => real.WeightCount(model);

        public ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts, AttackWork? attacks = null) =>
            real.Estimate(job, prompts, attacks);

        public TrainingSummary Train(
            ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation) =>
            real.Train(job, folder, progress, cancellation);

        public IReadOnlyList<double> Likelihoods(ArmJob job, IReadOnlyList<TrainingExample> rows) =>
            real.Likelihoods(job, rows);

        public ArmModel Open(ArmJob job, string folder) => _answers.Open(job, folder);

        public LlamaSession OpenSession(ArmJob job, string folder, bool forGradients) =>
            real.OpenSession(job, folder, forGradients);

        public StudyLesson? Explain(TrainedArm tuned, TrainedArm? before, LessonPlan plan) =>
            real.Explain(tuned, before, plan);

        public PageModel? Carry(IReadOnlyList<(ArmJob Job, string Folder)> arms) => real.Carry(arms);
    }
}
