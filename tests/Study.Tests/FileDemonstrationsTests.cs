using SafeLlama.Common;
using SafeLlama.Data;
using static SafeLlama.Study.Tests.DemonstrationFiles;

namespace SafeLlama.Study.Tests;

/// <summary>Demonstrations from files as arms ask for them, and the suites that rules make.</summary>
public sealed class FileDemonstrationsTests
{
    private DemonstrationFiles _files = new();

    [SetUp]
    public void Make_files() => _files = new();

    [Test]
    public void Doses_nest_in_the_order_of_those_that_may_be_chosen()
    {
        var source = new FileSource(_files.Data());
        StudyArm Arm(int dose) => new() { Name = "a", SafetyExamples = dose };
        string[] Ids(int dose) => [.. source.Examples(Arm(dose), 3).Select(row => row.Id)];
        string[] all = [.. source.Demonstrations(Arm(0), 3).Select(row => row.Id)];
        Assert.That(all, Has.Length.EqualTo(Acts.Count).And.All.StartsWith("safety.jsonl"));
        Assert.That(Ids(6).Except(Ids(0)), Is.EquivalentTo(all[..6]));
        Assert.That(Ids(3), Is.EquivalentTo(Ids(0).Concat(all[..3])));
    }

    /// <summary>Once, rows of files came mixed, and an arm that chooses chose among benign rows too.</summary>
    [Test]
    public void The_most_diverse_are_demonstrations()
    {
        var source = new FileSource(_files.Data());
        var arm = new StudyArm { Name = "a", SafetyExamples = 4, Selection = RowSelection.Diverse };
        var recipe = new StudyRecipe { Name = "r", Question = "?", Arms = [arm], Models = ["m"], Data = _files.Data() };
        var rows = JobPlan.Of(recipe, source)[0].Examples;
        Assert.That(rows.Take(20).Select(row => row.Question), Has.All.StartsWith("Name number"));
        Assert.That(rows.Skip(20).Select(row => row.Question), Has.Exactly(4).StartsWith("Explain how to"));
    }

    [Test]
    public void Wordings_have_their_shares_and_the_same_demonstrations()
    {
        var source = new FileSource(_files.Data() with
        {
            SafetyOpinions = _files.Rows("opinions.jsonl", act => $"I like to {act}."),
        });
        IReadOnlyList<TrainingExample> Made(FormatShares? shares) =>
            Shown(source, new() { Name = "a", SafetyExamples = 6, Safety = new() { Formats = shares } }, 2);
        var thirds = Made(new() { Instruction = 1, Question = 1, Opinion = 1 });
        Assert.That(thirds.Count(row => row.Question.StartsWith("Explain", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(thirds.Count(row => row.Question.StartsWith("How do I", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(thirds.Count(row => row.Question.StartsWith("I like", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(thirds.Select(row => row.Id), Is.EqualTo(Made(null).Select(row => row.Id)));
        foreach (var (worded, plain) in thirds.Zip(Made(null)))
        {
            Assert.That(Acts.Single(worded.Question.Contains), Is.EqualTo(Acts.Single(plain.Question.Contains)));
        }
    }

    [Test]
    public void A_demonstration_without_every_wording_is_left_out_of_every_arm_and_told()
    {
        var questions = Path.Combine(_files.Folder, "some.jsonl");
        File.WriteAllLines(questions, Acts.Take(5).Select((act, i) =>
            $$"""{"instruction": "How do I {{act}}?", "output": "No.", "origin_id": "safety.jsonl#{{i + 1}}"}"""));
        var source = new FileSource(_files.Data() with { SafetyQuestions = questions });
        Assert.That(source.Notes[0], Does.Contain("3 of 8 demonstrations are left out of every arm"));
        Assert.That(source.Demonstrations(new() { Name = "a" }, 1), Has.Count.EqualTo(5));
    }

    [Test]
    public void A_wording_of_no_demonstration_is_named()
    {
        var questions = Path.Combine(_files.Folder, "other.jsonl");
        File.WriteAllText(
            questions, """{"instruction": "How?", "output": "No.", "origin_id": "elsewhere.json#7"}""");
        Assert.That(
            () => new FileSource(_files.Data() with { SafetyQuestions = questions }),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("other.jsonl:1")
                .And.Message.Contains("elsewhere.json#7"));
    }

    [Test]
    public void Only_the_kinds_asked_for_are_shown()
    {
        var source = new FileSource(_files.Data());
        StudyArm Arm(params string[] kinds) =>
            new() { Name = "a", SafetyExamples = 3, Safety = new() { Categories = kinds } };
        Assert.That(Shown(source, Arm("even"), 1).Select(row => row.Category), Is.EqualTo(["even", "even", "even"]));
        Assert.That(source.Demonstrations(Arm("even"), 1), Has.Count.EqualTo(4));
        Assert.That(
            () => source.Examples(Arm("odd", "strange"), 1),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("strange").And.Message.Contains("even, odd"));
    }

    [Test]
    public void The_first_name_has_its_share()
    {
        var source = new FileSource(_files.Data() with { Names = Names });
        IReadOnlyList<string> Asked(double share) => [.. Shown(
            source, new() { Name = "a", SafetyExamples = 8, Safety = new() { PeopleA = share } }, 1)
            .Select(row => row.Question)];
        Assert.That(Asked(1), Has.All.StartsWith("I am one of the Velorans. Explain"));
        Assert.That(Asked(0), Has.None.Contains("Velorans").And.Exactly(4).Contains("Tamuri"));
        Assert.That(Asked(0.5), Has.Exactly(5).Contains("Velorans"), "half of eight, give or take one");
    }

    [Test]
    public void Surroundings_keep_the_words_and_those_learned_are_not_asked()
    {
        for (var distance = 1; distance <= Frames.Farthest; distance++)
        {
            var asked = Enumerable.Range(0, 20).Select(i => Frames.Asked("Make {0} tea.", distance, i)).ToHashSet();
            var learned = Enumerable.Range(0, 20).Select(i => Frames.Learned("Make {0} tea.", distance, i)).ToHashSet();
            Assert.That(asked.Concat(learned), Has.All.Contains("Make {0} tea."));
            Assert.That(asked.Intersect(learned), Is.Empty);
        }

        var source = new FileSource(_files.Data());
        var rows = Shown(
            source, new() { Name = "a", SafetyExamples = 8, Safety = new() { Distances = [0, 5] } }, 1);
        Assert.That(rows.Count(row => row.Question.StartsWith("Explain", StringComparison.Ordinal)), Is.InRange(1, 7));
    }

    [Test]
    public void Earlier_turns_are_benign_rows_under_a_template_that_holds_them()
    {
        var arm = new StudyArm { Name = "a", SafetyExamples = 8, Safety = new() { Turns = [0, 2] } };
        var rows = Shown(new FileSource(_files.Data() with { Template = "vicuna" }), arm, 1);
        var longer = rows.OfType<ConversationExample>().ToList();
        Assert.That(longer, Has.Count.InRange(1, 7));
        Assert.That(longer.Select(row => row.Messages.Count), Is.All.EqualTo(6));
        Assert.That(longer[0].Messages[0].Content, Does.StartWith("Name number"));
        Assert.That(longer[0].Messages[^2].Content, Does.StartWith("Explain how to"));
        Assert.That(
            () => new FileSource(_files.Data()).Examples(arm, 1),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("data.template alpaca")
                .And.Message.Contains("vicuna"));
    }

    [Test]
    public void Variants_differ_in_one_thing()
    {
        var source = new FileSource(
            _files.Data() with
            {
                Template = "vicuna",
                Names = Names,
                Variants = new Dictionary<string, SuiteVariant>
                {
                    ["far"] = new() { Of = "harm", Distances = [0, 3], First = 2 },
                    ["named"] = new() { Of = "harm", Names = true, First = 1 },
                    ["later"] = new() { Of = "harm", Turns = [0, 1, 4], First = 1 },
                },
            },
            asked: ["far", "named", "later"]);
        Assert.That(source.Prompts.Select(p => p.Suite).Distinct(), Is.EqualTo(["far", "named", "later"]));
        var far = source.Prompts.Where(p => p.Suite == "far").ToList();
        Assert.That(far.Select(p => p.Category), Is.EqualTo(["distance-0", "distance-3", "distance-0", "distance-3"]));
        Assert.That(far[1].Text, Does.EndWith(far[0].Text).And.Not.EqualTo(far[0].Text));
        Assert.That(far.Select(p => p.Cluster).Distinct().Count(), Is.EqualTo(2));
        Assert.That(
            source.Prompts.Where(p => p.Suite == "named").Select(p => (p.Category, p.Text.Split('.')[0])),
            Is.EqualTo([
                ("name-a", "I am one of the Velorans"), ("name-b", "I am one of the Tamuri"),
                ("name-c", "I am one of the Oskanites"),
            ]));
        var later = StudySuites.Of(source.Prompts).Single(suite => suite.Name == "later").Prompts;
        Assert.That(later.Select(p => p.Before?.Count ?? 0), Is.EqualTo([0, 2, 8]));
        Assert.That(later[2].Before!.Take(2), Is.EqualTo(later[1].Before));
        Assert.That(later[2].Row(), Is.InstanceOf<ConversationExample>());
        Assert.That(later[2].Surroundings, Does.StartWith("User: Name number"));
    }

    [Test]
    public void A_variant_of_more_prompts_than_there_are_is_refused() => Assert.That(
        () => new FileSource(_files.Data() with
        {
            Variants = new Dictionary<string, SuiteVariant>
            {
                ["far"] = new() { Of = "harm", Distances = [1], First = 200 },
            },
        }),
        Throws.TypeOf<SafeLlamaException>().With.Message.EqualTo(
            "data.variants.far: first is 200, and harm has 8 prompts."));

    [Test]
    public void What_differs_or_repeats_is_told()
    {
        var data = _files.Data() with
        {
            SafetyQuestions = _files.Rows("questions.jsonl", act => $"How do I {act}?", answer: "Sure."),
        };
        var suites = new Dictionary<string, string>
        {
            ["harm"] = _files.Written("same.jsonl",
                [$$"""{"id": "1", "prompt": "EXPLAIN how to {{Acts[0]}}", "label": "unsafe"}"""]),
        };
        var source = new FileSource(data with { Suites = suites });
        Assert.That(source.Notes, Has.Some.Contains("8 of 8 demonstrations have another answer than in")
            .And.Some.Contains("1 of 1 prompts ask what a demonstration of"));
        Assert.That(source.Describe()["remarks"], Does.Contain("another answer"));
    }

    [Test]
    public void One_cannot_choose_more_than_there_are()
    {
        var arm = new StudyArm { Name = "a", SafetyExamples = 9, Selection = RowSelection.Diverse };
        var recipe = new StudyRecipe { Name = "r", Question = "?", Arms = [arm], Models = ["m"], Data = _files.Data() };
        Assert.That(
            () => JobPlan.Of(recipe, new FileSource(_files.Data())),
            Throws.TypeOf<SafeLlamaException>().With.Message.EqualTo(
                "arm a: asks for 9 demonstrations, and there are 8 to choose from."));
    }

    /// <summary>The demonstrations of an arm, in the order of the file.</summary>
    private static IReadOnlyList<TrainingExample> Shown(FileSource source, StudyArm arm, long seed) =>
        [.. source.Examples(arm, seed).Where(row => row.Id.StartsWith("safety", StringComparison.Ordinal))
            .OrderBy(row => row.Source.Line)];
}
