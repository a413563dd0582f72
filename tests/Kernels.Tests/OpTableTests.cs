namespace SafeLlama.Kernels.Tests;

/// <summary>What every op must have beside its own files, and what its base class promises an observer.</summary>
internal sealed class OpTableTests
{
    private static IEnumerable<string> Ops => typeof(IBackend).GetProperties()
        .Where(property => property.PropertyType.IsSubclassOf(typeof(Op))).Select(property => property.Name);

    [TestCaseSource(nameof(Ops))]
    public void An_op_has_a_check_and_a_fixture_of_its_name(string op)
    {
        Assert.That(OpChecks.Names, Has.Some.StartsWith(op), "in OpChecks");
        Assert.That(typeof(OpTableTests).Assembly.GetType($"{typeof(OpTableTests).Namespace}.{op}Tests"), Is.Not.Null);
    }

    [Test]
    public void The_list_of_ops_holds_every_op()
    {
        using var backend = new CpuBackend(1);
        Assert.That(((IBackend)backend).Ops.Distinct().Count(), Is.EqualTo(Ops.Count()));
    }

    [Test]
    public void Every_op_tells_its_observer_of_each_call_and_of_none_inside_another()
    {
        using var backend = new CpuBackend(1);
        var observers = ((IBackend)backend).Ops.ToDictionary(op => op, _ => new Observer());
        foreach (var (op, observer) in observers)
        {
            op.Observer = observer;
        }

        Assert.That(OpChecks.Run(backend).All(check => check.Passed));
        foreach (var (op, observer) in observers)
        {
            Assert.That(observer.Calls, Is.Positive, op.GetType().Name);
            Assert.That(observer.Bytes, Is.Positive, op.GetType().Name);
        }

        ((IBackend)backend).Observe(null);
        Assert.That(observers.Keys.Select(op => op.Observer), Is.All.Null);
    }

    private sealed class Observer : IOpObserver
    {
        private static int _running;

        public int Calls { get; private set; }

        public double Bytes { get; private set; }

        public void Started() => Assert.That(++_running, Is.EqualTo(1), "an op runs inside another");

        public void Finished(in OpWork work)
        {
            _running--;
            Calls++;
            Bytes += work.Bytes;
        }
    }
}
