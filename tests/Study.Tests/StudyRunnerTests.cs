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
