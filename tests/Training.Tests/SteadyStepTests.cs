using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training.Tests;

/// <summary>Once the first steps are done, a step works in memory that is already there.</summary>
[NonParallelizable]
public sealed class SteadyStepTests
{
    /// <summary>
    /// A step leaves a report, which its caller keeps, and the factors that it was made with: some 220 bytes. A closure
    /// or an array in one op of each block would add more than what remains.
    /// </summary>
    private const long ReportBytes = 400;

    [Test]
    public void A_steady_step_allocates_its_report_and_nothing_else(
        [Values(1, 2)] int threads, [Values] bool allWeightsLearn)
    {
        using var backend = new CpuBackend(threads);
        using var run = new TinyRun(backend, dropout: 0.1);
        using var weights = LlamaWeights.InitializeRandom(backend, run.Model.Config, seed: 3);
        using var whole = new Llama(backend, weights, adapter: null, maxLength: 64);
        var model = allWeightsLearn ? whole : run.Model;
        using var workspace = new Workspace(model, 128, forBackward: true);
        var schedule = new LearningRateSchedule(ScheduleShape.Constant, 1e-3, 0, 1000);
        using var trainer = new Trainer(model, workspace, new TrainerSettings(schedule), maxMicroBatches: 2);
        var batch = BatchPacker.Step(TinyRun.Rows(8), 4);
        Step(times: 10);

        // Other threads of the test's host allocate now and then, but not at every step.
        Assert.That(Enumerable.Range(0, 10).Min(_ => Step(times: 1)), Is.LessThan(ReportBytes));

        long Step(int times)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < times; i++)
            {
                trainer.Step(batch);
            }

            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }
    }
}
