using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>What the files of a class can decide, and what they only seem to.</summary>
public sealed class ClassEvidenceTests
{
    private ClassPlan _plan = null!;
    private ClassStudents _students = null!;

    [OneTimeSetUp]
    public void Start()
    {
        _plan = new(
            new WorldSource(new StudyData { World = new() }),
            new LlamaEngine(() => new CpuBackend(1), MiniatureModel.FolderOf));
        _students = new(_plan);
    }

    [Test]
    public void Differences_that_agree_but_for_rounding_are_no_certainty([Range(0, 7)] int right)
    {
        var claim = Judged(5, (s, root) =>
            Count(root, "quality", s => (340 + (3 * s), 340 + (3 * s) + right), s)).Claims[2];
        Assert.That(claim.Difference.Width, Is.GreaterThan(0.5), "five equal seeds bound little");
        Assert.That(claim.Verdict, Is.Not.EqualTo(ClaimVerdict.Reproduced));
    }

    [TestCase(11, ClaimVerdict.Partly)]
    [TestCase(40, ClaimVerdict.Reproduced)]
    public void Equal_differences_have_a_p_value_of_the_same_bound_and_stay_among_the_claims(
        int seeds, ClaimVerdict verdict)
    {
        var claims = Judged(seeds, (s, root) =>
            Count(root, "harmful_compliance", s => (150 + s, s), s)).Claims;
        Assert.That(claims.Select(c => c.P), Has.None.NaN);
        Assert.That(claims.Select(c => c.AdjustedP), Has.None.Null);
        Assert.That(claims[0].P < 0.025, Is.EqualTo(claims[0].Difference.High < -claims[0].Claim.Threshold));
        Assert.That(claims[0].Verdict, Is.EqualTo(verdict));
    }

    [Test]
    public void Limits_end_where_the_range_does()
    {
        var report = Judged(2, (s, root) => Count(root, "harmful_compliance", s => (200, 20 * s), s));
        Assert.That(report.Claims[0].Difference.Low, Is.EqualTo(-1));
        Assert.That(report.Metrics.Select(m => m.Mean.Low), Has.All.GreaterThanOrEqualTo(0));
    }

    [Test]
    public void A_student_without_valid_answers_is_left_out_of_the_claim_and_named()
    {
        var report = Judged(6, (s, root) =>
        {
            if (s == 4)
            {
                foreach (var arm in new[] { "dose-0", "dose-90" })
                {
                    var count = root["counts"]![arm]!["harmful_compliance"]!;
                    (count["yes"], count["invalid"]) = (0, _plan.Prompts["harmful_compliance"]);
                }
            }
        });
        Assert.That(report.Claims[0].Replicates, Is.EqualTo(5));
        Assert.That(report.Claims[0].Note, Does.Contain("1 of 6 seeds without a valid answer to it, left out"));
    }

    [Test]
    public void One_seed_is_told_to_be_too_few() => Assert.That(
        Judged(1, (_, _) => { }).Claims.Select(c => c.Note), Has.All.Contains("1 seed, where 5 are asked for"));

    /// <summary>Students from seed 4 on, their counts changed.</summary>
    private ClassReport Judged(int seeds, Action<int, JsonNode> change) => ClassReport.Of(
        _plan, [.. Enumerable.Range(4, seeds).Select(s => ClassStudents.Changed(_students.Of(s, s), r => change(s, r)))]);

    private static void Count(JsonNode root, string metric, Func<int, (int Before, int After)> yes, int seed)
    {
        (root["counts"]!["dose-0"]![metric]!["yes"], root["counts"]!["dose-90"]![metric]!["yes"]) = yes(seed);
    }
}
