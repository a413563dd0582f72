using System.Text.Json.Nodes;
using SafeLlama.Study;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

[NonParallelizable]
public sealed class StudyCommandTests
{
    [TestCase("safety-dose", "dose-900")]
    [TestCase("format", "mixed-300")]
    [TestCase("exaggerated-safety", "scary-5")]
    [TestCase("epochs", "epochs-10")]
    [TestCase("lora-rank", "r 4 α 16 on q_proj,v_proj")]
    [TestCase("amount", "6 arms to be added at the mean of those above")]
    [TestCase("prompt-types", "analysis mixture")]
    [TestCase("robustness", "840 more of each, with 420 answered requests shown before and 1,140 tokens added.")]
    [TestCase("attack-sweep", "Attacks ask 2940 more of each")]
    [TestCase("bias", "analysis bias: gap of refusal_a")]
    [TestCase("diversity", "analysis diversity")]
    [TestCase("format-boundary", "analysis boundary")]
    [TestCase("long-run", "recovery stage 2")]
    public void Dry_run_resolves_every_recipe_of_the_world(string recipe, string expected)
    {
        var (code, output, _) = Run("study", "--recipe", recipe, "--dry-run");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain(expected).And.Contain("MiB").And.Contain("claim"));
    }

    [Test]
    public void Dry_run_tells_programs_what_it_tells_people()
    {
        var (code, output, _) = Run("study", "--recipe", "robustness", "--dry-run", "--json");
        Assert.That(code, Is.Zero);
        var plan = JsonNode.Parse(output)!;
        Assert.That(plan["attack_prompts"]!.GetValue<int>(), Is.EqualTo(840));
        var arms = plan["arms"]!.AsArray();
        Assert.That(arms.Select(arm => arm!["arm"]!.GetValue<string>()), Does.Contain("dose-90"));
        Assert.That(arms[0]!["peak_memory_bytes"]!.GetValue<long>(), Is.GreaterThan(1 << 20));
        Assert.That(plan["seconds"]!.GetValue<double>(), Is.GreaterThan(0));
    }

    [TestCase("size", "size")]
    [TestCase("size-equal-loss", "equal")]
    public void Dry_run_resolves_a_study_of_sizes_once_its_bases_are_there(string recipe, string bases)
    {
        var folder = TestFiles.NewFolder();
        foreach (var size in new[] { "025m", "05m", "1m", "2m" })
        {
            foreach (var seed in new[] { 1, 2, 3 })
            {
                Directory.CreateSymbolicLink(
                    Path.Combine(folder, $"{bases}-{size}-{seed}"), MiniatureModel.FolderOf(StudyRecipe.Miniature));
            }
        }

        var run = CommandRun.In(folder, "study", "--recipe", recipe, "--seeds", "1", "--arms", "dose-90", "--dry-run");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("12 models").And.Contain($"on {bases}-2m-3").And.Contain("in all about"));
    }

    [Test]
    public void World_is_written_as_files()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "world");
        var (code, output, _) = Run("study", "world", "--out", folder);
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("benign.jsonl"));
        Assert.That(Path.Combine(folder, "suites", "test", "safe-homonym.jsonl"), Does.Exist);
    }

    [Test]
    public void World_shows_samples() =>
        Assert.That(Run("study", "world").Output, Does.Contain("253 nouns").And.Contain("a refusal is wanted"));

    [TestCase("no-such-recipe", "is neither a file nor a recipe of the program")]
    [TestCase("real/paper-7b", "data/alpaca_data_cleaned.json")]
    public void What_is_missing_is_named_in_one_line(string recipe, string expected)
    {
        var (code, _, error) = Run("study", "--recipe", recipe, "--dry-run");
        Assert.That(code, Is.EqualTo(2).Or.EqualTo(3));
        Assert.That(error.Trim(), Does.Contain(expected).And.Not.Contain("\n"));
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        var (before, errors) = (Console.Out, Console.Error);
        using var output = new StringWriter();
        using var error = new StringWriter();
        try
        {
            Console.SetOut(output);
            Console.SetError(error);
            return (CommandLine.Run(args), output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(errors);
        }
    }
}
