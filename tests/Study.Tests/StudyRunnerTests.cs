using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

public sealed class StudyRunnerTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml") with
    {
        Seeds = [1, 2],
        Data = new StudyData { World = new WorldDials { BenignExamples = 300 }, Draw = WorldDraw.Development },
    };

    private static readonly WorldSource Source = new(Recipe.Data);

    private static readonly FewPrompts Few = new(Source, every: 20);

    [Test]
    public void Every_arm_is_run_for_every_seed()
    {
        var engine = new MadeUpEngine(Source);
        var run = new StudyRunner(Recipe, Source, engine).Run(TestFiles.NewFolder(), resume: false);
        Assert.That(engine.Trainings, Is.EqualTo(14));
        Assert.That(run.Results.Arms.Select(a => a.Replicates), Is.All.EqualTo(2));
        Assert.That(run.Results.Arms[2].Safety, Is.EqualTo(90));
        Assert.That(run.Results.Arms[2].Share, Is.EqualTo(90 / 390.0));
    }

    [Test]
    public void Same_recipe_gives_the_same_results_file_however_many_run_side_by_side()
    {
        var (first, second) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        new StudyRunner(Recipe, Source, new MadeUpEngine(Source)).Run(first, resume: false, parallel: 1);
        new StudyRunner(Recipe, new WorldSource(Recipe.Data), new MadeUpEngine(Source))
            .Run(second, resume: false, parallel: 4);
        Assert.That(
            File.ReadAllText(Path.Combine(second, "results.json")),
            Is.EqualTo(File.ReadAllText(Path.Combine(first, "results.json"))));
    }

    [Test]
    [Category("Fault")]
    public void Interrupted_study_goes_on_where_it_was([Values(1, 20, 100)] int diesAfter)
    {
        var (broken, whole) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        new StudyRunner(Recipe, Source, new MadeUpEngine(Source)).Run(whole, resume: false);
        Assert.Catch<OperationCanceledException>(
            () =>
                new StudyRunner(Recipe, Source, new MadeUpEngine(Source) { DiesAfter = diesAfter })
                    .Run(broken, resume: false));
        Assert.That(Path.Combine(broken, "results.json"), Does.Not.Exist, "it was interrupted on the way");

        var engine = new MadeUpEngine(Source);
        new StudyRunner(Recipe, Source, engine).Run(broken, resume: true);
        Assert.That(engine.Trainings, Is.LessThan(14), "finished trainings are not repeated");
        Assert.That(
            File.ReadAllText(Path.Combine(broken, "results.json")),
            Is.EqualTo(File.ReadAllText(Path.Combine(whole, "results.json"))));
    }

    [Test]
    public void Another_recipe_does_not_go_on_in_the_same_folder()
    {
        var folder = TestFiles.NewFolder();
        new StudyRunner(Recipe, Source, new MadeUpEngine(Source)).Run(folder, resume: false);
        var other = Recipe with { Training = Recipe.Training with { Rank = 4 } };
        Assert.That(
            () => new StudyRunner(other, Source, new MadeUpEngine(Source)).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("another recipe"));
    }

    [Test]
    public void Another_draw_is_refused_before_a_missing_arm_is_trained()
    {
        var folder = TestFiles.NewFolder();
        var begun = new StudyRunner(Recipe, Source, new MadeUpEngine(Source));
        begun.Run(folder, resume: false);
        var missing = Path.Combine(folder, begun.Jobs[0].Replicate.Folder);
        Directory.Delete(missing, recursive: true);

        var other = Recipe with { Data = Recipe.Data with { Draw = WorldDraw.Test } };
        var source = new WorldSource(other.Data);
        var engine = new MadeUpEngine(source);
        Assert.That(
            () => new StudyRunner(other, source, engine).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("data.draw was development").And.Message
                .Contains("is test"));
        Assert.That(engine.Trainings, Is.Zero);
        Assert.That(missing, Does.Not.Exist);
    }

    /// <summary>A study that would go on with its first arm; what is refused leaves it as it is.</summary>
    private static readonly Lazy<(string Folder, string Missing)> Begun = new(() => BegunFolder(Recipe));

    private static (string Folder, string Missing) BegunFolder(StudyRecipe recipe)
    {
        var folder = TestFiles.NewFolder();
        var begun = new StudyRunner(recipe, Few, new MadeUpEngine(Source));
        begun.Run(folder, resume: false);
        var missing = Path.Combine(folder, begun.Jobs[0].Replicate.Folder);
        Directory.Delete(missing, recursive: true);
        return (folder, missing);
    }

    private static IEnumerable<TestCaseData> ChangedPlans()
    {
        StudyRecipe Attacked(params string[] trials) => Recipe with
        {
            Attacks = new StudyAttacks { Trials = trials, Suites = ["unsafe-instruction"], AnswersFrom = "dose-0" },
        };
        StudyArm[] Changed(Func<StudyArm, StudyArm> change) =>
            [.. Recipe.Arms.Select(arm => arm.Name == "dose-90" ? change(arm) : arm)];
        TestCaseData Case(string name, StudyRecipe other, params string[] parts) =>
            new TestCaseData(other, parts).SetArgDisplayNames(name);
        yield return Case("renamed", Recipe with { Arms = Changed(a => a with { Name = "ninety" }) },
            "arms: dose-90 was begun and is not in the recipe now");
        yield return Case("another dose", Recipe with { Arms = Changed(a => a with { SafetyExamples = 91 }) },
            "arms.dose-90.safety_examples was 90 and is 91 now");
        yield return Case("training", Recipe with { Training = Recipe.Training with { Rank = 4 } },
            "training.rank was 8 and is 4 now");
        yield return Case("decoding", Recipe with { Decoding = Recipe.Decoding with { MaxNewTokens = 9 } },
            "decoding.max_new_tokens was 48 and is 9 now");
        yield return Case("a seed left out", Recipe with { Seeds = [1] },
            "seeds: 2 was begun and is not in the recipe now");
        yield return Case("another base", Recipe with { Models = ["other"] }, "models: miniature was begun");
        yield return Case("arithmetic", Recipe with { Device = "cpu:bf16" },
            "device was \"cpu\" and is \"cpu:bf16\" now");
        yield return Case("attack", Attacked("prefill=1/3"), "attacks.answers_from was none and is \"dose-0\" now");
        yield return Case("claim", Recipe with
        {
            Claims = [Recipe.Claims[0] with { Threshold = 0.123 }, .. Recipe.Claims.Skip(1)],
        }, $"claims.{Recipe.Claims[0].Id}.threshold was", "is 0.123 now");
    }

    [TestCaseSource(nameof(ChangedPlans))]
    public void Another_plan_is_refused_before_any_work_and_named(StudyRecipe other, string[] parts)
    {
        var (folder, missing) = Begun.Value;
        var engine = new MadeUpEngine(Source);
        var refused = Assert.Throws<SafeLlamaException>(
            () => new StudyRunner(other, Few, engine).Run(folder, resume: true))!;
        Assert.That(refused.Code, Is.EqualTo(ExitCode.Usage));
        foreach (var part in parts.Append(BegunRecipe.FileName).Append("name another folder"))
        {
            Assert.That(refused.Message, Does.Contain(part));
        }

        Assert.That((engine.Trainings, engine.Answers), Is.EqualTo((0, 0)));
        Assert.That(missing, Does.Not.Exist);
    }

    [Test]
    public void Rows_that_changed_are_refused_before_any_work()
    {
        var (folder, missing) = BegunFolder(Recipe);
        var plan = Directory.GetFiles(folder, "plan.json", SearchOption.AllDirectories).Order().Last();
        File.WriteAllText(plan, File.ReadAllText(plan).Replace("\"rows\": ", "\"rows\": 1", StringComparison.Ordinal));
        Assert.That(
            () => new StudyRunner(Recipe, Few, new MadeUpEngine(Source)).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("plan.json: rows was 1"));
        Assert.That(missing, Does.Not.Exist);
    }

    [Test]
    public void Words_seeds_and_arms_left_out_do_not_change_the_plan()
    {
        var (folder, _) = BegunFolder(Recipe with { Seeds = [1] });
        var other = Recipe.Only(["dose-0", "dose-90"]) with
        {
            Question = "Is it so?",
            Claims = [.. Recipe.Claims.Select(claim => claim with { Statement = "In other words." })],
        };
        var engine = new MadeUpEngine(Source);
        new StudyRunner(other, Few, engine).Run(folder, resume: true);
        Assert.That(engine.Trainings, Is.EqualTo(3), "the missing one, and two of the second seed");
    }

    /// <summary>What was added to a study is part of it from then on.</summary>
    [Test]
    public void An_arm_added_cannot_be_dropped_again()
    {
        var folder = TestFiles.NewFolder();
        var small = Recipe with { Seeds = [1], Arms = [.. Recipe.Arms.Take(2)], Claims = [] };
        new StudyRunner(small, Few, new MadeUpEngine(Source)).Run(folder, resume: false);
        new StudyRunner(small with { Arms = [.. Recipe.Arms.Take(3)] }, Few, new MadeUpEngine(Source))
            .Run(folder, resume: true);
        Assert.That(
            () => new StudyRunner(small, Few, new MadeUpEngine(Source)).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"arms: {Recipe.Arms[2].Name} was begun"));
    }

    /// <summary>Under another name, a base is no second one.</summary>
    [Test]
    public void One_base_under_two_names_is_refused()
    {
        var two = Recipe with { Models = ["one", "two"] };
        Assert.That(
            () => new StudyRunner(two, Few, new MadeUpEngine(Source) { HasOneBase = true })
                .Run(TestFiles.NewFolder(), resume: false),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("models: one and two are one base"));
    }

    [Test]
    public void Changed_answers_are_found_and_named()
    {
        var folder = TestFiles.NewFolder();
        new StudyRunner(Recipe, Source, new MadeUpEngine(Source)).Run(folder, resume: false);
        var file = Directory.GetFiles(folder, "responses.jsonl", SearchOption.AllDirectories).Order().First();
        File.WriteAllText(file, "{\"id\": \"x\"}\n");
        Assert.That(
            () => new StudyRunner(Recipe, Source, new MadeUpEngine(Source)).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("responses.jsonl:1"));
    }
}
